/** Gates, pauses, reruns and webhooks, which a testbed and a server are asked to do alike. */
import { createHmac } from "node:crypto";
import { named, type Scenario, type Step } from "./testbed-scenarios.ts";

/** The server's variables, and the testbed's. */
export const webhookSecrets = { CONFORM_TOKEN: "a-token", CONFORM_HUB: "a-secret" };

const go = (pipeline: string, ids: string): Step => ({ emit: named(`${pipeline}.go`, ids) });
const release = (pipeline: string, id: string): Step => ({ emit: named(`${pipeline}.release`, id) });

const push = JSON.stringify({ ref: "refs/heads/main", repository: { full_name: "a/b" } });
const signed = (body: string): string =>
  `sha256=${createHmac("sha256", webhookSecrets.CONFORM_HUB).update(body).digest("hex")}`;
const hub = (delivery: string, body: string, signature = signed(body)): Step => ({
  webhook: "conform-hub",
  headers: {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": delivery,
    "x-hub-signature-256": signature,
  },
  body,
});
const shop = (delivery: string, body: string, headers: { readonly [name: string]: string } = {}): Step => ({
  webhook: "conform-shop",
  headers: {
    "content-type": "application/json",
    authorization: "Bearer a-token",
    "x-delivery": delivery,
    ...headers,
  },
  body,
});

export const gateScenarios: readonly Scenario[] = [
  {
    name: "coalesce: what comes while a run is under way is one further run",
    pipelines: ["merging"],
    steps: [
      go("merging", "1"),
      go("merging", "2"),
      go("merging", "3 4"),
      { explain: "merging", event: "merging.go/2" },
      { explain: "merging", event: "merging.go/4" },
      release("merging", "1"),
      { explain: "merging", event: "merging.go/4" },
      go("merging", "5"),
      release("merging", "2"),
      release("merging", "3"),
    ],
  },
  {
    name: "coalesce with room for two",
    pipelines: ["pair"],
    steps: [go("pair", "1 2 3 4"), go("pair", "5"), release("pair", "1"), release("pair", "2")],
  },
  {
    name: "latest: a later firing takes the place of the one that waits",
    pipelines: ["newest"],
    steps: [
      go("newest", "1"),
      go("newest", "2"),
      { explain: "newest", event: "newest.go/2" },
      go("newest", "3 4"),
      { explain: "newest", event: "newest.go/3" },
      release("newest", "1"),
      release("newest", "2"),
    ],
  },
  {
    name: "each: every firing has a run, which queues",
    pipelines: ["queueing"],
    steps: [
      go("queueing", "1 2 3"),
      release("queueing", "1"),
      { explain: "queueing", event: "queueing.go/3" },
    ],
  },
  {
    name: "coalesce has one waiting firing for each key, and who waits longest is first",
    pipelines: ["keyed-merge"],
    steps: [
      { emit: named("keyed-merge.go", "1 2", { subject: "ann" }) },
      { emit: named("keyed-merge.go", "3 4", { subject: "bob" }) },
      { emit: named("keyed-merge.go", "5 6", { subject: "ann" }) },
      { emit: named("keyed-merge.go", "7 8", { subject: "bob" }) },
      { explain: "keyed-merge", key: "ann", event: "keyed-merge.go/7" },
      release("keyed-merge", "1"),
      release("keyed-merge", "2"),
      release("keyed-merge", "3"),
    ],
  },
  {
    name: "a revision of a window takes the place of one that waits, and knows the run before",
    pipelines: ["revised"],
    steps: [
      {
        emit: ["10:05", "11:15", "10:20", "10:30"].flatMap((time) =>
          named("revised.reading", time, { time: `2026-03-01T${time}:00Z` }),
        ),
      },
      release("revised", "1"),
      release("revised", "2"),
    ],
  },
  {
    name: "debounced revisions, two at most; a run by hand for a partition",
    pipelines: ["days", "by-hand"],
    steps: [
      ...["1 2026-01-01", "2 2026-01-01", "3 2026-01-01"].flatMap((text): Step[] => {
        const [id, partition] = text.split(" ") as [string, string];
        return [
          { emit: named("millrace.asset.updated", `raw-${id}`, { subject: "raw", data: { partition } }) },
          { advance: "1500ms" },
        ];
      }),
      { start: "by-hand", partition: "2026-01-05" },
    ],
  },
  {
    name: "a window begins incomplete when nothing has come, and is revised when it comes",
    pipelines: ["stalled"],
    steps: [
      { advance: "2s" },
      {
        emit: named("millrace.asset.updated", "stalling-1", {
          subject: "stalling",
          data: { partition: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10) },
        }),
      },
      { advance: "1500ms" },
    ],
  },
  {
    name: "a pause keeps what comes; the preview says what a resume lets begin",
    pipelines: ["pausing"],
    steps: [
      { pause: "pausing" },
      go("pausing", "1 2 3"),
      { explain: "pausing", event: "pausing.go/2" },
      { preview: "pausing" },
      { preview: "pausing", onResume: { limit: 2 } },
      { preview: "pausing", onResume: "none" },
      { resume: "pausing", onResume: "latest" },
      { explain: "pausing", event: "pausing.go/2" },
      { preview: "pausing" },
      go("pausing", "4"),
    ],
  },
  {
    name: "firings of a pause go through the gate",
    pipelines: ["pausing-merge"],
    steps: [
      go("pausing-merge", "1"),
      { pause: "pausing-merge" },
      go("pausing-merge", "2 3"),
      { preview: "pausing-merge" },
      { resume: "pausing-merge" },
      release("pausing-merge", "1"),
      release("pausing-merge", "2"),
    ],
  },
  {
    name: "reruns and marks",
    pipelines: ["broken"],
    steps: [
      { start: "broken" },
      { rerun: "broken" },
      { mark: "broken", node: "flaky", state: "succeeded", output: "mended" },
      { rerun: "broken", nodes: ["before"] },
      { rerun: "broken", all: true },
      { mark: "broken", node: "flaky", state: "skipped" },
    ],
  },
  {
    name: "a cancelled node, a marked one",
    pipelines: ["stopped"],
    steps: [
      { start: "stopped" },
      { cancel: "stopped", node: "one" },
      { mark: "stopped", node: "other", state: "succeeded" },
      { start: "stopped" },
      { cancel: "stopped" },
    ],
  },
  {
    name: "webhooks: verified, mapped, repeated, refused",
    pipelines: ["delivered"],
    steps: [
      hub("1", push),
      hub("1", push),
      hub("1", `${push} `),
      hub("1", JSON.stringify({ other: 1 })),
      hub("2", push, "sha256=00"),
      { webhook: "conform-hub", body: push },
      { webhook: "conform-nowhere", body: push },
      { webhook: "conform-unready", body: push },
      shop("1", JSON.stringify({ kind: "paid", order: 7 })),
      shop("1", JSON.stringify({ kind: "paid", order: 7 }), { "x-other": "header" }),
      shop("2", JSON.stringify({ order: 8 })),
      shop("3", "not json"),
      shop("4", "a=b", { "content-type": "text/plain" }),
      shop("5", JSON.stringify({ kind: "paid", order: 9 }), { authorization: "Bearer another" }),
    ],
  },
];
