// Assets: what tasks write and read, with versions, metadata and partitions; `millrace assets` shows them.
import {
  asset,
  daily,
  dynamicPartitions,
  on,
  pipeline,
  staticPartitions,
  task,
  tuplePartitions,
} from "millrace";
import { z } from "zod";

/** Somebody else writes it, and tells so. */
export const orders = asset("lake/orders", {
  partitions: daily("2026-01-01"),
  description: "Orders as the shop exports them",
});
export const customers = asset("crm/customers", { partitions: dynamicPartitions() });
export const prices = asset("ref/prices", { freshness: "7d", owner: "purchasing" });
export const report = asset("mart/orders_daily", {
  partitions: daily("2026-01-01"),
  upstream: [orders, prices],
  freshness: "25h",
  owner: "sales",
  tags: ["mart"],
});
export const sales = asset("mart/sales", {
  partitions: tuplePartitions({ day: daily("2026-01-01"), region: staticPartitions(["eu", "us"]) }),
});

/** Its success updates `ref/prices`, unless nothing changed. */
const loadPrices = task("load-prices", { writes: prices }, async (isChanged: boolean, ctx) => {
  if (!isChanged) await ctx.asset(prices).unchanged();
  return isChanged;
});

export const priceList = pipeline(
  "price-list",
  { params: z.object({ changed: z.boolean().default(true) }) },
  ({ params }) => loadPrices(params.changed),
);

/** For the run's partition, with what people want to know of it. */
const summarise = task("summarise", { writes: report, reads: [orders, prices] }, async (day: string, ctx) => {
  await ctx.asset(report).materialized({ metadata: { rows: day.length }, version: `orders-${day}` });
  for (const region of ["eu", "us"] as const)
    await ctx.asset(sales).materialized({ partition: `day=${day}/region=${region}` });
  await ctx.asset(customers).addPartition("acme");
  return day;
});

export const ordersDaily = pipeline("orders-daily", { on: on.updated(orders) }, ({ partition }) =>
  summarise(partition.key),
);
