/** The type test of conditions and firings: see `authoring.types.ts`. */
import { z } from "zod";
import {
  eventType,
  on,
  pipeline,
  task,
  type FiredEvent,
  type FiredSilence,
  type FiredTick,
  type FinishedRun,
  type Ref,
} from "../src/index.ts";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- compares two types exactly
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(..._proof: Same<A, B> extends true ? [] : [never]): void;

interface Paid {
  orderId: string;
  amount: number;
  country: "DE" | "FR";
}
const paid = eventType("order.paid", {
  schema: z.object({ orderId: z.string(), amount: z.number(), country: z.enum(["DE", "FR"]) }),
});
const shipped = eventType("order.shipped", {
  schema: z.object({ orderId: z.string(), parcel: z.object({ id: z.string() }) }),
});
interface Shipped {
  orderId: string;
  parcel: { id: string };
}

const seePaid = task("see-paid", (orders: readonly FiredEvent<"order.paid", Paid>[]) => orders.length);
const seeAmount = task("see-amount", (amount: number) => amount);
const seeKey = task("see-key", (key: string | null) => key);

// The name of an event is its type, its data are those of its declaration.
export const plain = pipeline("plain", { on: on.event(paid) }, ({ firing }) => {
  same<keyof typeof firing.members & string, keyof Ref<{ "order.paid": unknown }> & string>();
  seePaid(firing.members["order.paid"]);
  seeAmount(firing.members["order.paid"][0]!.data.amount);
  seeKey(firing.key);
  // @ts-expect-error no operand has this name
  seePaid(firing.members.paid);
  // @ts-expect-error the data have no such field
  seeAmount(firing.members["order.paid"][0]!.data.total);
  // @ts-expect-error it is a text
  seeAmount(firing.members["order.paid"][0]!.data.orderId);
});

// The end of a run is found under the pipeline's name.
export const after = pipeline(
  "after",
  { on: on.all([on.finished("load"), on.finished("clean", { states: ["failed"], node: "a" }).as("bad")]) },
  ({ firing }) => {
    same<typeof firing.members.load, Ref<readonly FiredEvent<string, FinishedRun>[]>>();
    same<typeof firing.members.bad, typeof firing.members.load>();
    // @ts-expect-error it was named otherwise
    void firing.members.clean;
  },
);
on.finished(plain);
// @ts-expect-error a run does not end so
on.finished("load", { states: ["done"] });
on.finished("load", { where: { data: { labels: { team: "x" } } } });

// An event without a declaration has unknown data, and its name is typed.
export const undeclared = pipeline("undeclared", { on: on.event("file.landed") }, ({ firing }) => {
  const files = firing.members["file.landed"];
  same<typeof files, Ref<readonly FiredEvent<"file.landed">[]>>();
  // @ts-expect-error no operand has this name
  seePaid(firing.members["file.lost"]);
});

// A pipeline without a condition has no operands.
export const none = pipeline("none", {}, ({ firing }) => {
  seeKey(firing.key);
  // @ts-expect-error there are none
  seePaid(firing.members.orders);
});

// Operands of several conditions are merged.
export const merged = pipeline(
  "merged",
  { on: on.all([on.event(paid).as("orders"), on.event(shipped)], { within: "1h" }).by("data.orderId") },
  ({ firing }) => {
    seePaid(firing.members.orders);
    const parcels = firing.members["order.shipped"];
    same<typeof parcels, Ref<readonly FiredEvent<"order.shipped", Shipped>[]>>();
    // @ts-expect-error its name is orders
    seePaid(firing.members["order.paid"]);
    // @ts-expect-error these are the shipped ones
    seePaid(firing.members["order.shipped"]);
  },
);

export const inOrder = pipeline(
  "in-order",
  { on: on.sequence([on.event(paid), on.event(shipped)]) },
  ({ firing }) => seePaid(firing.members["order.paid"]),
);

// One name for two operands: both are found under it.
const both = on.any([on.event(paid).as("x"), on.event(shipped).as("x")]);
export const together = pipeline("together", { on: both }, ({ firing }) => {
  const members = firing.members.x;
  same<
    typeof members,
    Ref<readonly (FiredEvent<"order.paid", Paid> | FiredEvent<"order.shipped", Shipped>)[]>
  >();
});

// An outer name stands for all that have none of their own.
const outer = on.count(on.any([on.event(paid), on.event(shipped).as("parcels")]), 3).as("orders");
export const named = pipeline("named", { on: outer }, ({ firing }) => {
  seePaid(firing.members.orders);
  const { parcels } = firing.members;
  same<typeof parcels, Ref<readonly FiredEvent<"order.shipped", Shipped>[]>>();
});

// The last name of a condition counts.
export const renamed = pipeline("renamed", { on: on.event(paid).as("a").as("b") }, ({ firing }) => {
  seePaid(firing.members.b);
  // @ts-expect-error it was renamed
  seePaid(firing.members.a);
});

// Time and silence have members of their own.
export const ticks = pipeline(
  "ticks",
  { on: on.cron("0 6 * * *", { tz: "Europe/Berlin" }) },
  ({ firing }) => {
    const { schedule } = firing.members;
    same<typeof schedule, Ref<readonly FiredTick[]>>();
  },
);

// An absence has no event in its firing, but its key is of the events that it watches for.
export const silent = pipeline(
  "silent",
  { on: on.absent(on.event(shipped), { within: "2d" }).by("data.orderId") },
  ({ firing }) => {
    seeKey(firing.key);
  },
);

const quiet = on.absent(on.event(shipped), { within: "2d", after: on.event(paid).as("orders") });
export const silence = pipeline("silence", { on: quiet.by("data.orderId") }, ({ firing }) => {
  seePaid(firing.members.orders);
  const { absent } = firing.members;
  same<typeof absent, Ref<readonly FiredSilence[]>>();
  // @ts-expect-error what did not come is no member
  seePaid(firing.members["order.shipped"]);
});

// Filters are typed by the declaration.
on.event(paid, { where: { data: { country: "DE", amount: { gte: 10 } } } });
on.event(paid, { where: "data.amount > 10.0" });
on.event("anything", { where: { data: { whatever: 1 } } });
// @ts-expect-error no such country
on.event(paid, { where: { data: { country: "AT" } } });
// @ts-expect-error no such field
on.event(paid, { where: { data: { contry: "DE" } } });
// @ts-expect-error a number
on.event(paid, { where: { data: { amount: { gte: "10" } } } });

// Keys are, too.
on.event(paid).by("data.orderId");
on.event(shipped).by((event) => event.data.parcel.id);
on.all([on.event(paid).as("p"), on.event(shipped).as("s")]).by({ p: "data.orderId", s: "data.parcel.id" });
// @ts-expect-error no such field
on.event(paid).by("data.orderID");
// @ts-expect-error an object is no key
on.event(shipped).by("data.parcel");
// @ts-expect-error s has no part
on.all([on.event(paid).as("p"), on.event(shipped).as("s")]).by({ p: "data.orderId" });
// @ts-expect-error no operand t
on.all([on.event(paid).as("p")]).by({ p: "data.orderId", t: "data.orderId" });
// @ts-expect-error p is an order that was paid
on.all([on.event(paid).as("p")]).by({ p: "data.parcel.id" });

// Windows are by the event's own time.
on.window(on.event(paid), { every: "1d", tz: "Europe/Berlin", lateness: "1h", late: "revise" });
on.window(on.event(shipped), { every: "1h", time: (event) => event.data.parcel.id });
// @ts-expect-error what is late is ignored or revised
on.window(on.event(paid), { every: "1d", late: "drop" });

// Operators take conditions alone.
// @ts-expect-error a name is no condition
on.all(["order.paid"]);
// @ts-expect-error a pipeline's condition is none either
pipeline("wrong", { on: "order.paid" }, () => {});
// @ts-expect-error it lacks its span
on.absent(on.event(paid), {});
// @ts-expect-error a span is no text of any kind
on.session(on.event(paid), { gap: "soon" });
