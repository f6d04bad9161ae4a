/** What events start and wake while processes are killed: each run tells the ledger, and gives the ids of its events. */
import { on, pipeline, task, wait, type TaskContext } from "millrace";
import { z } from "zod";
import { note } from "../ledger.ts";

const env = ["E2E_LEDGER"];

interface Told {
  readonly id: string;
}

function see(events: readonly Told[], ctx: TaskContext): string[] {
  note("start", ctx);
  const ids = events.map(({ id }) => id);
  note("end", ctx);
  return ids;
}

const confirm = task("confirm", { env }, async (orders: readonly Told[], ctx) => {
  const ids = see(orders, ctx);
  await ctx.emit({ type: "order.confirmed", subject: ids.join() });
  return ids;
});

/** Each large order has a run, which tells an event of its own. */
export const confirming = pipeline(
  "confirming",
  { on: on.event("order.placed", { where: { data: { amount: { gte: 50 } } } }).as("orders") },
  ({ firing }) => confirm(firing.members.orders),
);

const settle = task("settle", { env }, (input: { orders: readonly Told[]; payments: readonly Told[] }, ctx) =>
  see([...input.orders, ...input.payments], ctx),
);

/** Each order and its payment, whichever comes first. */
export const settling = pipeline(
  "settling",
  {
    on: on
      .all([on.event("order.placed").as("orders"), on.event("order.paid").as("payments")])
      .by("data.order"),
  },
  ({ firing }) => settle({ orders: firing.members.orders, payments: firing.members.payments }),
);

const load = task("load", { env }, see);

/** All orders, ten at a time. */
export const loading = pipeline(
  "loading",
  { on: on.batch(on.event("order.placed").as("orders"), { max: 10, maxWait: "2s" }) },
  ({ firing }) => load(firing.members.orders),
);

const wake = task("wake", { env }, see);

const follow = task("follow", { env }, async (input: { order: string }, ctx) => {
  const payment = on.event("order.paid", { where: { data: { order: input.order } } }).as("payments");
  const { members } = await ctx.waitFor(payment);
  return see(members.payments, ctx);
});

/** One order's payment ends two waits: one in the graph, one in a task's code. */
export const collecting = pipeline(
  "collecting",
  { params: z.object({ order: z.string() }) },
  ({ params }) => {
    const paid = wait(on.event("order.paid", { where: { data: { order: params.order } } }).as("payments"), {
      id: "paid",
    });
    wake(paid.members.payments);
    follow({ order: params.order });
  },
);

const gather = task(
  "gather",
  async (_: void, ctx): Promise<{ count: number; first: string; last: string }> => {
    const seen = { count: 0, first: "", last: "" };
    for await (const { id } of ctx.firing.events("ticks")) {
      if (seen.count === 0) seen.first = id;
      seen.last = id;
      seen.count += 1;
    }
    return seen;
  },
);

/** One run at a time, for all that came meanwhile. */
export const gathering = pipeline(
  "gathering",
  { on: on.event("storm.tick").as("ticks"), policy: "coalesce", maxActiveRuns: 1 },
  () => gather(),
);

const tell = task("tell-key", (key: string | null) => key);

/** Each key by itself, of which there is no end. */
export const counting = pipeline(
  "counting",
  { on: on.count(on.event("key.tick").as("ticks"), 2).by("data.key") },
  ({ firing }) => tell(firing.key),
);
