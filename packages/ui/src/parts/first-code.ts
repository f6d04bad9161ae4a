/** The shortest code that fills an empty page: whole files of a project, which a test deploys as they are shown. */

export const firstPipeline = `import { pipeline, task } from "millrace";

const greet = task("greet", async (input: { name: string }) => \`Hello, \${input.name}\`);

export const hello = pipeline("hello", () => greet({ name: "world" }));`;

export const firstAsset = `import { asset, pipeline, task } from "millrace";

export const report = asset("mart/report", { freshness: "25h" });

// Each success of it updates the asset.
const write = task("write-report", { writes: report }, async () => ({ rows: 1_200 }));

export const reporting = pipeline("reporting", () => write());`;

export const firstTrigger = `import { on, pipeline, task } from "millrace";

const thank = task("thank", async (order: string | null) => \`thanks for \${order}\`);

export const thanks = pipeline("thanks", { on: on.event("order.paid") }, ({ firing }) =>
  thank(firing.members["order.paid"][0]!.subject),
);`;

export const firstSchedule = `import { on, pipeline, task } from "millrace";

const load = task("load", async (span: { from: string; to: string } | null) => span);

export const nightly = pipeline(
  "nightly",
  { on: on.cron("30 2 * * *", { tz: "Europe/Berlin" }) },
  ({ firing }) => load(firing.interval), // the time since the tick before
);`;

export const firstApproval = `import { approve, pipeline, task } from "millrace";

const publish = task("publish", async (by: string | null) => \`published by \${by}\`);

export const release = pipeline("release", () => {
  const asked = approve({ title: "Publish the report?", timeout: "2d" });
  return publish(asked.by); // skipped when the answer is no
});`;

export const firstWait = `import { on, pipeline, task, wait } from "millrace";

const ship = task("ship", async () => "shipped");

export const order = pipeline("order", () => {
  const paid = wait(on.event("order.paid"), { id: "paid", timeout: "2d" });
  return ship(undefined, { after: paid });
});`;

export const firstPool = {
  configuration: `import { defineConfig } from "millrace";

export default defineConfig({ project: "shop", pools: { warehouse: 4 } });`,
  task: `import { pipeline, task } from "millrace";

const store = task("store", { pool: "warehouse" }, async () => "stored");

export const storing = pipeline("storing", () => store());`,
};

export const firstEvent = `npx millrace emit order.paid --subject 7 --data '{"amount": 12.5}'`;
