import { readdirSync } from "node:fs";
import { join } from "node:path";
import { loadProject } from "millrace/internal";
import { describe, expect, test } from "vitest";

const folder = import.meta.dirname;

/** Every example, with the pipelines that it declares. */
const examples: { readonly [name: string]: readonly string[] } = {
  flights: ["asked-report", "flights", "land-hours", "missing-feed", "publish-days", "read-hours"],
  "fan-out": ["fan-out"],
  "branch-and-rules": ["delivery"],
  "setup-teardown": ["scratch"],
  "retry-and-timeout": ["retries"],
  "calling-a-pipeline": ["bill", "street"],
  parameters: ["invoice"],
  testing: ["daily", "thanks", "collect", "loading", "on-push", "tidied"],
  webhooks: ["build-main"],
  assets: ["price-list", "orders-daily"],
  partitions: ["clean-orders", "publish-orders"],
  mappings: [
    "bill-day",
    "close-shift",
    "plan-week",
    "mean-of-week",
    "report",
    "office",
    "region-of-customer",
    "sales-of-views",
    "days-of-clicks",
    "all-regions",
    "looking",
  ],
  schedules: [
    "newest",
    "each-hour",
    "last-three",
    "only-now",
    "nightly",
    "half-hourly",
    "six-hourly",
    "payday",
    "second-monday",
    "exchange",
  ],
  files: ["load", "load-day", "load-orders", "removed"],
  waits: ["order", "patient"],
  "waits-in-code": ["following", "stumbling", "weighing"],
  approvals: ["asking", "escalate", "hasty", "poll", "report", "strict"],
  policies: ["invoices", "ping", "pong", "prices"],
  probes: ["follow-day", "follow-many", "price-changed", "publish-day"],
  conditions: [
    "large-order",
    "every-order",
    "workdays",
    "opening",
    "quarterly",
    "closings",
    "any-hour",
    "filled-hour",
    "whole-day",
    "changed-week",
    "day-reached",
    "delivered",
    "any-change",
    "quorum",
    "in-order",
    "unless-frozen",
    "not-paid",
    "three-failures",
    "upload",
    "visit",
    "rebuild",
    "repriced",
    "notify",
    "after-notify",
    "hourly-readings",
  ],
};

async function importPipelines(example: string): Promise<{ [file: string]: object }> {
  const files = readdirSync(join(folder, example, "pipelines")).filter((file) => file.endsWith(".ts"));
  const modules: { [file: string]: object } = {};
  for (const file of files) {
    modules[`pipelines/${file}`] = (await import(join(folder, example, "pipelines", file))) as object;
  }
  return modules;
}

describe("the examples", () => {
  test("each folder with a configuration is in the list", () => {
    const found = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map((entry) => entry.name);
    expect(found.sort()).toEqual(Object.keys(examples).sort());
  });

  test.each(Object.entries(examples))("the definitions of %s load", async (example, pipelines) => {
    const modules = await importPipelines(example);
    const loaded = loadProject(modules, { project: example, root: join(folder, example) });
    expect(loaded.errors).toEqual([]);
    expect(loaded.definition.pipelines.map(({ name }) => name).sort()).toEqual([...pipelines].sort());
  });
});
