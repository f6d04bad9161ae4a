/** What the pages about triggers and events are looked at with. */
import { eventType, on, pipeline, task } from "millrace";
import { z } from "zod";

/** An order that its customer has paid. */
export const paid = eventType("order.paid", {
  schema: z.object({
    order: z.string(),
    country: z.enum(["DE", "NO", "PT"]).default("DE"),
    amount: z.number(),
    express: z.boolean().optional(),
    tags: z.array(z.string()).optional(),
  }),
});

const pack = task("pack", async (_: void, ctx) => {
  await ctx.emit({ type: "order.packed", subject: "a", data: { by: "pack" } });
});

/** An order that is paid and picked is packed. */
export const packing = pipeline(
  "packing",
  {
    on: on
      .all([on.event(paid).as("paid"), on.event("order.picked").as("picked")], { within: "2h" })
      .by({ paid: "data.order", picked: "subject" }),
    owner: "warehouse",
    tags: ["orders"],
  },
  () => {
    pack();
  },
);

const tell = task("tell", async (input: { count: number }) => input.count);

export const packed = pipeline("packed", { on: on.event("order.packed") }, () => {
  tell({ count: 1 });
});

export const large = pipeline(
  "large-orders",
  {
    description: "Every second large order of Germany",
    on: on.count(on.event(paid, { where: { data: { amount: { gte: 100 }, country: "DE" } } }), 2, {
      within: "1h",
    }),
    owner: "sales",
    tags: ["orders", "daily"],
    params: z.object({
      day: z.iso.date().optional(),
      mode: z.enum(["fast", "slow"]).default("fast"),
      most: z.number().max(1_000).default(100),
      dry: z.boolean().default(false),
      names: z.array(z.string()).default([]),
      mail: z.object({ to: z.string(), copies: z.number().int().optional() }).optional(),
    }),
  },
  () => {
    tell({ count: 2 });
  },
);

export const quiet = pipeline(
  "quiet-stock",
  { on: on.debounce(on.event("stock.changed").as("changes"), { quiet: "2s", maxWait: "1m" }) },
  () => {
    tell({ count: 3 });
  },
);

export const nightly = pipeline(
  "nightly",
  { on: on.any([on.cron("0 3 * * *", { tz: "Europe/Berlin" }), on.event("report.asked")]), owner: "sales" },
  () => {
    tell({ count: 4 });
  },
);

export const byHand = pipeline("by-hand", { tags: ["daily"] }, () => {
  tell({ count: 5 });
});
