/** Task code that records its steps and waits without holding a process. */
import { eventType, on, pipeline, task } from "millrace";
import { z } from "zod";

export const shipped = eventType("example.order.shipped", { schema: z.object({ order: z.string() }) });

const weigh = task("weigh", (input: { items: number }) => input.items * 1.5);
export const weighing = pipeline("weighing", { params: z.object({ items: z.number() }) }, ({ params }) =>
  weigh({ items: params.items }),
);

/** Each wait suspends it, and it runs again from the top; what it does in its steps it does once. */
const follow = task("follow", async (input: { order: string }, ctx) => {
  const lines: string[] = [];
  for (const item of ["pen", "ink"]) {
    lines.push(await ctx.step("pack", () => `${item} packed in dispatch ${ctx.dispatch}`, { key: item }));
  }
  await ctx.sleep("50ms");
  const later = await ctx.step("later", () => new Date(Date.now() + 50).toISOString());
  await ctx.sleepUntil(later);

  // The first of two that comes; the other one is let go.
  const first = await Promise.race([
    ctx.sleep("50ms", { name: "soon" }).then(() => "soon"),
    ctx.sleep("1h", { name: "late" }).then(() => "late"),
  ]);

  // What a step emits is recorded with it, and a wait finds what came before it.
  await ctx.step("ship", async () => {
    await ctx.emit({ type: shipped, subject: input.order, data: { order: input.order } });
  });
  const seen = await ctx.waitFor(on.event(shipped, { where: { data: { order: input.order } } }));

  const kilos = await ctx.call(weighing, { items: lines.length });
  const paid = await ctx.waitFor(on.event("example.order.paid"), { timeout: "50ms" });
  return {
    lines,
    first,
    order: seen.members["example.order.shipped"][0]!.data.order,
    kilos,
    paid: paid !== null,
  };
});
export const following = pipeline("following", { params: z.object({ order: z.string() }) }, ({ params }) =>
  follow({ order: params.order }),
);

/** Its first attempt dies after a step: the next one goes on behind it. */
const stumble = task("stumble", { retries: { max: 1, delay: 1 } }, async (_: void, ctx) => {
  const from = await ctx.step("once", () => ctx.attempt);
  if (ctx.attempt === 1) process.exit(1);
  return { recordedIn: from, endedIn: ctx.attempt };
});
export const stumbling = pipeline("stumbling", () => stumble());
