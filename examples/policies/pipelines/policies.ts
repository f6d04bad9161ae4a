// What becomes of firings while a pipeline has as many runs as it may; and two triggers that start each other.
import { on, pipeline, task } from "millrace";

const sum = task("sum", async (_input: object, ctx) => {
  let orders = 0;
  let amount = 0;
  // One page of them is in memory at a time, however many there are.
  for await (const order of ctx.firing.events<{ amount: number }>("orders")) {
    orders += 1;
    amount += order.data.amount;
  }
  return { orders, amount };
});

/** Orders that come while it runs are one further run, which has them all. */
export const invoices = pipeline(
  "invoices",
  { on: on.event("order.paid").as("orders"), policy: "coalesce", maxActiveRuns: 1 },
  () => sum({}),
);

const show = task("show", ({ price }: { price: number }) => price);

/** Only the newest price is worth a run; each product has its own. */
export const prices = pipeline(
  "prices",
  {
    on: on.event<{ product: string; price: number }>("price.changed").as("prices").by("data.product"),
    policy: "latest",
    maxActiveRuns: 1,
  },
  ({ firing }) => show({ price: firing.members.prices[0]!.data.price }),
);

const hit = task("hit", async (next: { type: string }, ctx) => ctx.emit({ type: next.type }));

/** Each run of one starts a run of the other, for ever: the third round is refused. */
export const ping = pipeline("ping", { on: on.event("ball.left"), loopLimit: 2 }, () =>
  hit({ type: "ball.right" }),
);
export const pong = pipeline("pong", { on: on.event("ball.right"), loopLimit: 2 }, () =>
  hit({ type: "ball.left" }),
);
