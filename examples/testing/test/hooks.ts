// oxlint-disable typescript/no-floating-promises -- node:test waits for its tests by itself
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { testbed } from "millrace/testing";
import { github, onPush } from "../pipelines/hooks.ts";

test("a push that GitHub signed is built", async () => {
  const t = await testbed({ github, onPush }, { secrets: { GITHUB_SECRET: "s3cret" } });
  const body = JSON.stringify({ after: "c0ffee" });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": "1",
    "x-hub-signature-256": `sha256=${createHmac("sha256", "s3cret").update(body).digest("hex")}`,
  };
  const answer = await t.webhook(github, { headers, body });
  assert.equal(answer.status, 200);
  assert.equal(t.runs[0]?.output, "built c0ffee");

  const forged = await t.webhook(github, { headers, body: JSON.stringify({ after: "bad" }) });
  assert.equal(forged.status, 401);
  assert.equal(forged.code, "MILLRACE_WEBHOOK_REFUSED");
});
