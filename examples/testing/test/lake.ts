// oxlint-disable typescript/no-floating-promises -- node:test waits for its tests by itself
import assert from "node:assert/strict";
import { test } from "node:test";
import { testbed } from "millrace/testing";
import { clean, landing, tidied } from "../pipelines/lake.ts";

test("a day that lands is tidied", async () => {
  const t = await testbed({ landing, clean, tidied });
  await t.emit({
    type: "millrace.asset.updated",
    subject: "landing/orders",
    data: { partition: "2026-01-02" },
  });
  assert.equal(t.runsOf(tidied)[0]?.output, "tidied 2026-01-02");
  assert.equal(t.events.at(-1)?.subject, "lake/orders");

  const again = await t.start(tidied, undefined, { partition: "2026-01-03" });
  assert.equal(again.output, "tidied 2026-01-03");
});
