/** A shop's pipelines; `test/shop.ts` tests them on virtual time. */
import { eventType, on, pipeline, task, wait, type FiringInterval } from "millrace";
import { z } from "zod";

export const paid = eventType("order.paid", {
  schema: z.object({ order: z.string(), amount: z.number() }),
});

// Asks another system, which does not always answer.
export const fetchOrders = task(
  "fetch-orders",
  { retries: { max: 3, delay: "1m", backoff: "fixed" }, timeout: "5m" },
  async (interval: FiringInterval | null): Promise<{ amounts: number[] }> => {
    const response = await fetch(`http://shop.invalid/orders?from=${interval?.from}&to=${interval?.to}`);
    return (await response.json()) as { amounts: number[] };
  },
);

export const total = task("total", (input: { amounts: readonly number[] }) =>
  input.amounts.reduce((sum, amount) => sum + amount, 0),
);

/** Each morning, what was ordered since the morning before. */
export const daily = pipeline(
  "daily",
  { on: on.cron("0 6 * * *", { tz: "Europe/Berlin" }) },
  ({ firing }) => {
    const orders = fetchOrders(firing.interval);
    return total({ amounts: orders.amounts });
  },
);

const thank = task("thank", async (order: { order: string; amount: number }, ctx) => {
  ctx.log.info("thanked", { order: order.order });
  await ctx.emit({ type: "letter.sent", subject: order.order });
  return `thanks for ${order.amount}`;
});

/** For each large order. */
export const thanks = pipeline(
  "thanks",
  { on: on.event(paid, { where: { data: { amount: { gte: 100 } } } }).as("orders") },
  ({ firing }) => thank(firing.members.orders[0]!.data),
);

const remind = task("remind", (order: string) => `please pay ${order}`);

/** A person starts it; it ends when the order is paid, or with a reminder after two days. */
export const collect = pipeline("collect", { params: z.object({ order: z.string() }) }, ({ params }) => {
  const payment = wait(on.event("order.paid", { where: { data: { order: params.order } } }), {
    id: "payment",
    timeout: "2d",
  });
  return remind(params.order, { after: payment, rule: "one_failed" });
});

export const load = task("load", (orders: readonly { id: string }[]) => orders.map(({ id }) => id));

/** One run at a time; what comes meanwhile is one further run. */
export const loading = pipeline(
  "loading",
  { on: on.event(paid).as("orders"), policy: "coalesce", maxActiveRuns: 1 },
  ({ firing }) => load(firing.members.orders),
);
