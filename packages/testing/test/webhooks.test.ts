import { createHmac } from "node:crypto";
import { on, pipeline, task, webhook } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const secrets = { GITHUB_SECRET: "s3cret", STANDARD: "whsec_c29tZSBieXRlcw==", TOKEN: "a-token" };
const github = webhook("github", { verify: { kind: "github", secret: "GITHUB_SECRET" } });
const standard = webhook("standard", { verify: { kind: "standard", secret: "STANDARD" } });
const shop = webhook("shop", {
  verify: { kind: "token", secret: "TOKEN" },
  type: '"shop." + body.kind',
  subject: "string(body.order)",
  rate: 1,
});
const build = task("build", (commit: string) => `built ${commit}`);
const onPush = pipeline(
  "on-push",
  { on: on.event<{ after: string }>("github.push").as("pushes") },
  ({ firing }) => build(firing.members.pushes[0]!.data.after),
);
const bed = { github, standard, shop, onPush };

const body = JSON.stringify({ after: "c0ffee", repository: { full_name: "a/b" } });
const push = (text = body) => ({
  headers: {
    "Content-Type": "application/json",
    "X-GitHub-Event": "push",
    "X-GitHub-Delivery": "1",
    "X-Hub-Signature-256": `sha256=${createHmac("sha256", "s3cret").update(text).digest("hex")}`,
  },
  body: text,
});

test("a delivery that is signed rightly is an event, and starts runs; a repeat is answered and recorded once", async () => {
  const t = await testbed(bed, { secrets });
  expect(await t.webhook(github, push())).toEqual({ status: 200, position: 2 });
  expect(t.runs.map(({ output }) => output)).toEqual(["built c0ffee"]);
  expect(t.events.at(-1)).toMatchObject({ type: "github.push", subject: "a/b", source: "/hooks/github" });
  expect(await t.webhook("github", push())).toEqual({ status: 200, position: 2, duplicate: true });
  const other = JSON.stringify({ after: "bad" });
  expect(await t.webhook("github", push(other))).toEqual({ status: 200, position: 3, conflict: 2 });
  expect(t.runs).toHaveLength(1);
});

test("a wrong signature, an unknown name and a missing secret are answered as a server answers them", async () => {
  const t = await testbed(bed, { secrets: { TOKEN: "a-token", GITHUB_SECRET: "another" } });
  const refused = { status: 401, code: "MILLRACE_WEBHOOK_REFUSED" };
  expect(await t.webhook(github, push())).toMatchObject(refused);
  expect(await t.webhook("nowhere", push())).toMatchObject(refused);
  expect(await t.webhook(standard, push())).toMatchObject({ status: 503, code: "MILLRACE_WEBHOOK_UNREADY" });
  expect(await t.webhook("github", { body: Buffer.alloc(1024 * 1024 + 1) })).toMatchObject({
    status: 413,
    code: "MILLRACE_EVENT_TOO_LARGE",
  });
  expect(t.runs).toEqual([]);
});

test("a signed time is judged by the virtual clock", async () => {
  const t = await testbed(bed, { secrets, now: "2026-03-01T12:00:00Z" });
  const time = String(Date.parse("2026-03-01T12:00:00Z") / 1_000);
  const text = JSON.stringify({ type: "a.b" });
  const key = Buffer.from("c29tZSBieXRlcw==", "base64");
  const signature = createHmac("sha256", key).update(`m1.${time}.${text}`).digest("base64");
  const delivery = {
    headers: {
      "content-type": "application/json",
      "webhook-id": "m1",
      "webhook-timestamp": time,
      "webhook-signature": `v1,${signature}`,
    },
    body: text,
  };
  await t.advance("4m");
  expect(await t.webhook(standard, delivery)).toMatchObject({ status: 200 });
  await t.advance("2m");
  expect(await t.webhook(standard, delivery)).toMatchObject({ status: 401, code: "MILLRACE_WEBHOOK_STALE" });
});

test("a mapping's faults are told in the answer, and too many deliveries are answered 429 by the virtual clock", async () => {
  const t = await testbed(bed, { secrets });
  const headers = { authorization: "Bearer a-token" };
  const deliver = (order: number) => t.webhook(shop, { headers, body: { kind: "paid", order } });
  expect(await deliver(1)).toMatchObject({ status: 200 });
  expect(t.events.at(-1)).toMatchObject({ type: "shop.paid", subject: "1" });
  expect(await t.webhook(shop, { headers, body: { order: 2 } })).toMatchObject({
    status: 200,
    invalid: expect.stringContaining("the mapping of type"),
  });
  expect(await deliver(3)).toMatchObject({ status: 429, code: "MILLRACE_EVENTS_OVERLOADED" });
  await t.advance("1s");
  expect(await deliver(3)).toMatchObject({ status: 200 });
});
