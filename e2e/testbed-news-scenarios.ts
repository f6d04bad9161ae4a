/** What the log tells of runs, loops, queues and other deliveries, which a testbed and a server are asked to do alike. */
import { createHmac } from "node:crypto";
import { webhookSecrets } from "./testbed-gate-scenarios.ts";
import { named, type Scenario, type Step } from "./testbed-scenarios.ts";

const formType = "application/x-www-form-urlencoded";

const slack = (body: string, contentType = formType): Step => {
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac("sha256", webhookSecrets.CONFORM_HUB)
    .update(`v0:${time}:${body}`)
    .digest("hex");
  return {
    webhook: "conform-slack",
    headers: {
      "content-type": contentType,
      "x-slack-request-timestamp": time,
      "x-slack-signature": `v0=${signature}`,
    },
    body,
  };
};

export const newsScenarios: readonly Scenario[] = [
  {
    name: "what the log tells of runs and nodes is what conditions ask for",
    pipelines: ["watched", "start-watcher", "end-watcher", "node-watcher"],
    steps: [
      { start: "watched" },
      { start: "watched", params: { fails: true } },
      { rerun: "watched", all: true },
      { mark: "watched", node: "pass", state: "succeeded" },
    ],
  },
  {
    name: "a loop of two triggers is stopped, and says its path",
    pipelines: ["ping", "pong"],
    steps: [{ emit: named("loop.ping", "1") }],
  },
  {
    name: "a loop of a trigger over its own asset is stopped",
    pipelines: ["month-loop"],
    steps: [
      {
        emit: named("millrace.asset.updated", "month", { subject: "months", data: { partition: "2026-02" } }),
      },
    ],
  },
  {
    name: "a run that queues is cancelled, and gives its place to the next",
    pipelines: ["one-at-a-time"],
    steps: [
      { start: "one-at-a-time" },
      { start: "one-at-a-time" },
      { cancel: "one-at-a-time" },
      { start: "one-at-a-time" },
      { emit: named("one.release", "1") },
    ],
  },
  {
    name: "items of a fan-out wait each for their own, and a retry keeps what came",
    pipelines: ["items"],
    steps: [
      { start: "items" },
      { emit: named("item.paid", "1", { subject: "c" }) },
      { emit: [...named("item.paid", "2", { subject: "b" }), ...named("item.paid", "3", { subject: "b" })] },
      { advance: "100ms" },
      { emit: named("item.paid", "4", { subject: "a" }) },
    ],
  },
  {
    name: "a wait passes over what does not fit its filter",
    pipelines: ["lone"],
    steps: [
      { start: "lone" },
      { emit: named("lone.paid", "1", { data: { amount: 4 } }) },
      { emit: named("lone.paid", "2", { data: { amount: "5" } }) },
      { emit: named("lone.paid", "3", { data: { amount: 5 } }) },
      { emit: named("lone.paid", "4", { data: { amount: 6 } }) },
    ],
  },
  {
    name: "deliveries that are forms, challenges, bytes, or nothing",
    pipelines: ["opened"],
    steps: [
      slack("command=%2Fopen&channel_id=C1&text=now"),
      slack(JSON.stringify({ type: "url_verification", challenge: "say it" }), "application/json"),
      { webhook: "conform-open", body: JSON.stringify({ size: 3, at: "2026-01-01T00:00:00Z" }) },
      { webhook: "conform-open", headers: { "content-type": "text/plain" }, body: "size" },
      { webhook: "conform-open", body: JSON.stringify({ size: "x", at: "then" }) },
      { webhook: "conform-open", body: "" },
      { webhook: "conform-open", headers: { "content-type": "application/json" }, body: '{"size":1e400}' },
      {
        webhook: "conform-open",
        headers: { "content-type": "application/octet-stream" },
        body: "\u0000\u0001",
      },
    ],
  },
];
