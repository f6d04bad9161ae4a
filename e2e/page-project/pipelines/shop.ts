/** What the page is looked at with: runs that succeed, fail, wait and go on, events that start some of them. */
import { on, pipeline, task, wait } from "millrace";
import { z } from "zod";

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const list = task("list", async (input: { count: number }) => {
  console.log(`there are ${input.count} orders`);
  return { orders: Array.from({ length: input.count }, (_, order) => order) };
});
const price = task("price", async (input: { order: number }) => input.order * 2.5);
const check = task("check", async (input: { prices: number[]; most: number }) => {
  console.error("the sum is looked at");
  const sum = input.prices.reduce((total, one) => total + one, 0);
  if (sum > input.most) throw new Error(`<img src=x onerror=alert(1)> the sum ${sum} is above ${input.most}`);
  return { sum };
});

/** Fails with a sum above `most`. */
export const orders = pipeline(
  "orders",
  {
    description: "Prices orders & checks their <sum>",
    owner: "shop",
    tags: ["daily"],
    params: z.object({ count: z.number().int().default(4), most: z.number().default(1_000) }),
  },
  ({ params }) => {
    const listed = list({ count: params.count });
    const prices = price.map(listed.orders, (order) => ({ order }));
    check({ prices, most: params.most });
  },
);

const thank = task("thank", async (input: { order: string }) => `thanks for ${input.order}`);
export const paid = pipeline("paid", { on: on.event("order.paid") }, () => {
  thank({ order: "an order" });
});

export const shipped = pipeline("shipped", () => {
  const sent = wait(on.event("goods.sent"), { id: "goods", timeout: "2h" });
  thank({ order: "what was shipped" }, { after: [sent] });
});

const work = task("work", async (_: void, ctx) => {
  for (let part = 1; part <= 20; part += 1) {
    ctx.log.info(`part ${part} of 20`);
    ctx.progress(part / 20, `part ${part}`);
    await pause(250);
  }
  return "done";
});
export const slow = pipeline("slow", () => {
  work();
});
