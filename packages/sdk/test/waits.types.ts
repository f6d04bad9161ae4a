/** The type test of steps and waits in task code: see `authoring.types.ts`. */
import { z } from "zod";
import { eventType, on, pipeline, task, type Approval, type FiredEvent, type Firing } from "../src/index.ts";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- compares two types exactly
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(..._proof: Same<A, B> extends true ? [] : [never]): void;

interface Paid {
  orderId: string;
  amount: number;
}
const paid = eventType("order.paid", { schema: z.object({ orderId: z.string(), amount: z.number() }) });
const shipped = eventType("order.shipped", { schema: z.object({ parcel: z.string() }) });

const load = task("load", (input: { day: string }) => ({ rows: input.day.length }));
export const loading = pipeline("loading", { params: z.object({ day: z.string() }) }, ({ params }) =>
  load({ day: params.day }),
);
export const bare = pipeline("bare", () => {});

export const steps = task("steps", async (input: { id: string }, ctx) => {
  // A step gives what is recorded.
  const made = await ctx.step("make", async () => ({ id: input.id, at: 7 }));
  same<typeof made, { id: string; at: number }>();
  const nothing = await ctx.step("nothing", () => {});
  same<typeof nothing, null>();
  const maybe = await ctx.step("maybe", ({ idempotencyKey }) => idempotencyKey.at(0));
  same<typeof maybe, string | null>();
  await ctx.step("each", () => 1, { key: input.id });
  // @ts-expect-error a key is a text or a number
  await ctx.step("each", () => 1, { key: { id: 1 } });
  // @ts-expect-error a step needs its function
  await ctx.step("none");
});

export const waits = task("waits", async (input: { id: string }, ctx) => {
  await ctx.sleep("2h");
  await ctx.sleepUntil(new Date(0), { name: "opening" });
  // @ts-expect-error no such span
  await ctx.sleep("soon");

  // A wait gives its firing, by operand name.
  const one = await ctx.waitFor(on.event(paid, { where: { data: { orderId: input.id } } }));
  same<typeof one, Firing<{ readonly "order.paid": FiredEvent<"order.paid", Paid> }>>();
  same<(typeof one.members)["order.paid"][number]["data"]["amount"], number>();
  const both = await ctx.waitFor(on.all([on.event(paid).as("order"), on.event(shipped)]), { timeout: "3d" });
  // @ts-expect-error its timeout may have come first
  same<keyof typeof both.members, "order" | "order.shipped">();
  if (both) same<(typeof both.members)["order"], readonly FiredEvent<"order.paid", Paid>[]>();
  // @ts-expect-error no operand has this name
  same<typeof one.members.order, never>();
  // @ts-expect-error a name is no condition
  await ctx.waitFor("order.paid");

  // An approval gives the form.
  const form = z.object({ note: z.string(), upTo: z.string().transform(Number) });
  const answer = await ctx.approve({ title: "Pay?", by: ["ann", "bob"], form });
  same<typeof answer, Approval<{ note: string; upTo: number }>>();
  if (answer.approved) same<typeof answer.form.upTo, number>();
  const plain = await ctx.approve({ timeout: "1d", by: "ann" });
  same<typeof plain, Approval | null>();

  // A call gives the pipeline's output.
  const loaded = await ctx.call(loading, { day: "2026-01-31" });
  same<typeof loaded, { rows: number }>();
  same<Awaited<ReturnType<typeof ctx.call<void, null>>>, null>();
  await ctx.call(bare);
  // @ts-expect-error the parameters have no such field
  await ctx.call(loading, { dy: "2026-01-31" });
  // @ts-expect-error it has parameters
  await ctx.call(loading);
});
