/** Work in all its states: long, queued, asked for, retried, scheduled. */
import { setTimeout as pause } from "node:timers/promises";
import { approve, asset, branch, group, on, pipeline, task, webhook, when } from "millrace";
import { z } from "zod";

const dayMs = 86_400_000;

export const model = asset("ml/demand_model", { freshness: "1d", owner: "data science" });

const train = task("train", { pool: "warehouse", writes: model }, async (_: void, ctx) => {
  for (let epoch = 1; epoch <= 600; epoch += 1) {
    ctx.log.info(`epoch ${epoch}`, { loss: Number((1 / epoch).toFixed(4)) });
    ctx.progress(epoch / 600, `epoch ${epoch} of 600`);
    await pause(500, undefined, { signal: ctx.signal });
  }
});
/** Two at once: the pool has no more; the others wait for it. */
export const training = pipeline(
  "train-model",
  { description: "Trains the model of demand", owner: "data science", tags: ["ml"] },
  () => train(),
);

const call = task("ask-carrier", { retries: { max: 5, delay: "10m" } }, async (): Promise<string> => {
  throw new Error("503 from the carrier: maintenance until 18:00");
});
export const carrier = pipeline(
  "carrier-rates",
  { description: "Rates of carriers, twice a day", on: on.cron("0 6,18 * * *") },
  () => call(),
);

const count = task("count-copies", async (input: { day: string }) => ({ rows: input.day.length * 100 }));
const print = task("send-newsletter", async (input: { copies: number }) => input.copies);
export const newsletter = pipeline(
  "newsletter",
  {
    description: "Asks before it sends",
    owner: "marketing",
    params: z.object({ day: z.string().default("2026-01-31") }),
  },
  ({ params }) => {
    const counted = count({ day: params.day });
    const asked = approve({
      id: "release",
      title: "Send the newsletter?",
      details: { day: params.day, recipients: counted.rows },
      by: ["ann", "bob"],
      form: z.object({
        copies: z.int().min(1).describe("how many to send at first"),
        colour: z.enum(["blue", "green"]).default("blue"),
        isUrgent: z.boolean().default(false),
      }),
      timeout: "2d",
    });
    print({ copies: asked.form.copies });
  },
);

const weigh = task("weigh", async (input: { kilos: number }) => {
  await pause(25);
  return input.kilos;
});
const carrierOf = branch("choose-carrier", { choices: ["bike", "van"] }, (kilos: number) =>
  kilos <= 10 ? "bike" : "van",
);
const ride = task("ride", async () => pause(60, "by bike"));
const drive = task("drive", async () => pause(90, "by van"));
const pack = task("pack", async (input: { item: number }) => {
  await pause(10 + input.item * 3);
  return input.item;
});
const label = task("print-label", async (input: { item: number }) => input.item);
const hand = task(
  "hand-over",
  async (way: { bike: string | null; van: string | null; parcels: number }) => way,
);
const tally = task("count-parcels", async (input: { labels: readonly number[] }) => input.labels.length);
/** A branch, a fan-out of groups, a join. */
export const delivery = pipeline(
  "delivery",
  {
    description: "Packs parcels and hands them to who is fit for it",
    owner: "logistics",
    tags: ["daily"],
    params: z.object({ kilos: z.number().default(4) }),
  },
  ({ params }) => {
    const kilos = weigh({ kilos: params.kilos });
    const choice = carrierOf(kilos);
    const labels = group.map("parcel", [1, 2, 3, 4, 5, 6], (item) => label({ item: pack({ item }) }));
    const parcels = tally({ labels });
    const bike = when(choice, "bike", () => ride());
    const van = when(choice, "van", () => drive());
    hand({ bike, van, parcels }, { rule: "none_failed_min_one_success" });
  },
);

const load = task("load", async (span: { from: string; to: string } | null) => span);
export const hourly = pipeline(
  "stock-levels",
  {
    description: "Stock of all shops",
    owner: "logistics",
    on: on.cron("0 * * * *", { tz: "Europe/Berlin" }),
  },
  ({ firing }) => load(firing.interval),
);
export const nightly = pipeline(
  "warehouse-snapshot",
  { description: "At half past two, whatever clocks do", on: on.cron("30 2 * * *", { tz: "Europe/Berlin" }) },
  ({ firing }) => load(firing.interval),
);
export const weekly = pipeline(
  "supplier-report",
  { description: "Mondays", on: on.cron("0 9 * * MON", { tz: "America/New_York" }) },
  ({ firing }) => load(firing.interval),
);

const note = task("note", async (input: { key: string | null }) => input);
/** A join by key: both must come within a month. */
export const refunds = pipeline(
  "refunds",
  {
    description: "A refund once goods are back and the return is approved",
    on: on
      .all([on.event("goods.returned").as("goods"), on.event("return.approved").as("approval")], {
        within: "30d",
      })
      .by("subject"),
  },
  ({ firing }) => note({ key: firing.key }),
);
export const silent = pipeline(
  "silent-shop",
  {
    description: "A shop that does not sell for a day",
    on: on.absent(on.event("order.paid"), { within: "1d", after: on.event("shop.opened") }).by("subject"),
  },
  ({ firing }) => note({ key: firing.key }),
);

/** A tick of each minute, one after the other: what comes meanwhile queues. */
const sweep = task("sweep", async () => pause(dayMs));
export const sweeping = pipeline("sweep", { description: "One at a time", maxActiveRuns: 1 }, () => sweep());

export const payments = webhook("payments", {
  verify: { kind: "token", secret: "PAYMENTS_TOKEN" },
  type: '"payment." + body.kind',
  subject: "string(body.order)",
  accepts: ["application/json"],
});
