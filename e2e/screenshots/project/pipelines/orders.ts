/** A shop's orders: events become batches, batches files, files a day's report. */
import { setTimeout as pause } from "node:timers/promises";
import { asset, daily, hourly, on, pipeline, task, wait } from "millrace";
import { z } from "zod";

export const raw = asset("lake/orders", {
  partitions: hourly("2026-01-01"),
  description: "Orders as the shop's stream delivers them, an hour a file",
  owner: "platform",
});
export const enriched = asset("lake/orders_enriched", {
  partitions: daily("2026-01-01"),
  upstream: [raw],
  description: "Orders of a day with prices and customers",
  owner: "sales",
  freshness: "25h",
  tags: ["lake"],
});
export const report = asset("mart/daily_sales", {
  partitions: daily("2026-01-01"),
  upstream: [enriched],
  owner: "sales",
  tags: ["mart", "finance"],
});
export const prices = asset("ref/prices", { freshness: "7d", owner: "purchasing" });

const orderPaid = on.event<{ order: string; amount: number; shop: string }, "order.paid">;

const read = task("read-orders", async (input: { count: number }, ctx) => {
  ctx.log.info("orders are read", { count: input.count });
  await pause(20);
  return { shops: ["Lisbon", "Nairobi", "Oslo", "Quito"].slice(0, Math.max(1, input.count)) };
});
const priceShop = task(
  "price-shop",
  { retries: { max: 2, delay: "100ms" } },
  async (input: { shop: string }, ctx) => {
    if (input.shop === "Oslo" && ctx.attempt === 1) throw new Error("the price list of Oslo did not answer");
    await pause(15 + input.shop.length * 9);
    ctx.log.info(`priced the orders of ${input.shop}`);
    return { shop: input.shop, total: input.shop.length * 1_250 };
  },
);
const join = task(
  "join-customers",
  { reads: prices },
  async (input: { rows: { shop: string; total: number }[] }) => {
    await pause(40);
    return input.rows;
  },
);
const write = task("write-file", { writes: raw }, async (input: { rows: unknown[] }, ctx) => {
  await ctx.artifact("by shop", { table: input.rows as { shop: string; total: number }[] });
  await ctx.artifact("summary", { markdown: `**${input.rows.length}** shops` });
  const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000);
  await ctx.asset(raw).materialized({
    partition: `${hour.toISOString().slice(0, 16)}Z`,
    metadata: { rows: input.rows.length },
  });
  return { rows: input.rows.length };
});

/** Every four paid orders, or each hour, whatever comes first. */
export const orders = pipeline(
  "orders",
  {
    description: "Prices paid orders in batches and adds them to the lake",
    owner: "sales",
    tags: ["stream", "lake"],
    on: on.batch(orderPaid("order.paid").as("orders"), { max: 4, maxWait: "1h" }),
  },
  ({ firing }) => {
    const found = read({ count: 4 });
    const priced = priceShop.map(found.shops, (shop) => ({ shop }));
    const joined = join({ rows: priced });
    write({ rows: joined });
    return firing.key;
  },
);

const summarise = task("summarise", { writes: enriched, reads: raw }, async (input: { day: string }, ctx) => {
  await ctx.asset(enriched).materialized({ partition: input.day, metadata: { rows: 1_284 } });
  return input.day;
});
/** A run for each day of which all hours are there. */
export const dailyOrders = pipeline(
  "daily-orders",
  {
    description: "A day's orders, once its 24 hours are there",
    owner: "sales",
    on: on.reached(enriched, { from: new Date(Date.now() - 3 * 86_400_000).toISOString() }),
  },
  ({ partition }) => publish({ day: partition.key }),
);
const publish = task("publish", { writes: report, reads: enriched }, async (input: { day: string }, ctx) => {
  await ctx.asset(report).materialized({ partition: input.day, metadata: { sales: 48_210 } });
  return input.day;
});
export const backfill = pipeline(
  "enrich-day",
  { description: "One day by hand", params: z.object({ day: z.string().default("2026-01-31") }) },
  ({ params }) => summarise({ day: params.day }),
);

const check = task("check-sum", async (input: { most: number }, ctx) => {
  ctx.log.info("the sums of the day are compared with the bank's");
  await pause(30);
  console.error("the bank's file lists 1284 payments, we have 1285");
  if (input.most < 1_285) throw new Error("1 payment is missing at the bank: order 7716, EUR 24.90");
  return "equal";
});
const tell = task("tell-accounting", async (input: { verdict: string }) => input.verdict);
export const reconcile = pipeline(
  "reconcile",
  {
    description: "Compares the day with the bank's file",
    owner: "finance",
    on: on.cron("30 6 * * *", { tz: "Europe/Berlin" }),
    params: z.object({
      most: z.number().int().default(1_284).describe("payments that the bank may list"),
      account: z.enum(["main", "returns"]).default("main"),
    }),
  },
  ({ params }) => {
    const verdict = check({ most: params.most });
    tell({ verdict });
  },
);

const place = task("reserve-stock", async (input: { order: string }) => ({ id: input.order }));
const ship = task("ship", async (input: { order: string; amount: number }) => input);
/** Waits until this very order is paid. */
export const shipping = pipeline(
  "shipping",
  { description: "Ships an order once it is paid", params: z.object({ order: z.string().default("4711") }) },
  ({ params }) => {
    const placed = place({ order: params.order });
    const paid = wait(on.event("payment.settled", { where: { data: { order: placed.id } } }), {
      id: "paid",
      timeout: "2d",
    });
    ship({ order: placed.id, amount: 1 }, { after: paid });
  },
);
