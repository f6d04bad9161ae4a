/** What the frame and the pages of the machinery are looked at with. */
import { asset, on, pipeline, task, wait } from "millrace";
import { z } from "zod";

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const flour = asset("lake/flour", { freshness: "1s" });
const check = task("check", async (input: { sum: number; most: number }) => {
  if (input.sum > input.most) throw new Error(`the sum ${input.sum} is above ${input.most}`);
  return input.sum;
});

/** Fails with a sum above `most`. */
export const orders = pipeline(
  "orders",
  { description: "Checks orders & their <sum>", params: z.object({ most: z.number().default(100) }) },
  ({ params }) => {
    check({ sum: 15, most: params.most });
  },
);

const thank = task("thank", async () => "thanks");
export const paid = pipeline("paid", { on: on.event("order.paid") }, () => {
  thank();
});

export const shipped = pipeline("shipped", () => {
  wait(on.event("goods.sent"), { id: "goods", timeout: "2h" });
});

const grind = task("grind", { pool: "warehouse", writes: flour }, async (input: { ms: number }) => {
  await pause(input.ms);
});
export const milled = pipeline(
  "milled",
  { params: z.object({ ms: z.number().default(0) }) },
  ({ params }) => {
    grind({ ms: params.ms });
  },
);
