/** What pages of assets, schedules and approvals are looked at with. */
import {
  approve,
  asset,
  daily,
  hourly,
  on,
  pipeline,
  staticPartitions,
  task,
  tuplePartitions,
  webhook,
} from "millrace";
import { z } from "zod";

const berlin = { tz: "Europe/Berlin" };
export const shop = webhook("shop", {
  verify: { kind: "none", insecure: true },
  type: '"order." + body.kind',
  subject: "string(body.order)",
});

export const landing = asset("landing/orders", { partitions: hourly("2026-10-24", berlin) });
export const orders = asset("lake/orders", {
  partitions: hourly("2026-10-24", berlin),
  upstream: [landing],
  owner: "lake",
  freshness: "2h",
});
export const report = asset("mart/orders_daily", {
  partitions: daily("2026-10-01", berlin),
  owner: "sales",
  tags: ["kpi"],
});
export const sales = asset("mart/sales", {
  partitions: tuplePartitions({
    region: staticPartitions(["eu", "us"]),
    model: staticPartitions(["a", "b", "c"]),
  }),
});

const clean = task("clean", { writes: orders, reads: [landing] }, (hour: string) => hour);
export const cleanOrders = pipeline("clean-orders", { on: on.updated(landing) }, ({ partition }) =>
  clean(partition.key),
);
const sum = task("sum", { writes: [report], reads: [orders] }, async (_: string, ctx) => {
  await ctx.asset(report).materialized({ partition: "2026-10-25", metadata: { rows: 12 } });
});
export const summarise = pipeline("summarise", { on: on.event("order.paid") }, () => sum("now"));

const nap = task("nap", async (ms: number) => {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
});
export const often = pipeline("often", { on: on.every("2s") }, () => nap(2_300));
export const nightly = pipeline("nightly", { on: on.cron("30 2 * * *", berlin) }, () => nap(1));
export const howe = pipeline("howe", { on: on.cron("15 2 * * *", { tz: "Australia/Lord_Howe" }) }, () =>
  nap(1),
);

const publish = task("publish", (input: { by: string | null; copies: number }) => input);
export const release = pipeline("release", () => {
  const asked = approve({
    id: "ask",
    title: "Publish the <report>?",
    by: ["ann", "bob"],
    form: z.object({
      copies: z.int().min(1).max(99).describe("how many to print"),
      paper: z.enum(["a4", "a5"]).default("a4"),
      kinds: z.array(z.enum(["x", "y"])).optional(),
      address: z.object({ street: z.string(), zip: z.string().regex(/^\d{5}$/) }),
    }),
    timeout: "2d",
  });
  return publish({ by: asked.by, copies: asked.form.copies });
});
