/** What a testbed and a server are asked to do alike. */
import type { Testbed } from "millrace/testing";

export interface ScenarioEvent {
  readonly type: string;
  /** Its name: members and explanations are compared by it. */
  readonly id: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: unknown;
}

export type Step =
  /** All of them at once: no time passes between them. */
  | { readonly emit: readonly ScenarioEvent[] }
  | { readonly start: string; readonly params?: object; readonly partition?: string }
  /** On a server, time passes by itself. */
  | { readonly advance: `${number}s` | `${number}ms` }
  | { readonly explain: string; readonly key?: string; readonly event?: string }
  | { readonly pause: string }
  | { readonly resume: string; readonly onResume?: CatchUp }
  | { readonly preview: string; readonly onResume?: CatchUp }
  /** Of the newest run of this pipeline. */
  | { readonly rerun: string; readonly nodes?: readonly string[]; readonly all?: true }
  | { readonly cancel: string; readonly node?: string }
  | {
      readonly mark: string;
      readonly node: string;
      readonly state: "succeeded" | "skipped";
      readonly output?: unknown;
    }
  | {
      readonly webhook: string;
      readonly headers?: { readonly [name: string]: string };
      readonly body: string;
    };

type CatchUp = "all" | "latest" | "none" | { readonly limit: number };

export interface Scenario {
  readonly name: string;
  /** Pipelines whose firings and runs are compared: no other scenario has them. */
  readonly pipelines: readonly string[];
  /** What a test says where a server would take real time. */
  readonly prepare?: (t: Testbed) => void;
  readonly steps: readonly Step[];
}

export const named = (
  type: string,
  ids: string,
  rest: Omit<ScenarioEvent, "type" | "id"> = {},
): ScenarioEvent[] => ids.split(" ").map((id) => ({ type, id: `${type}/${id}`, ...rest }));

export const plainScenarios: readonly Scenario[] = [
  {
    name: "a filter takes what fits it, and says what did not",
    pipelines: ["filtered"],
    steps: [
      { emit: named("filtered.paid", "small", { data: { amount: 99 } }) },
      { emit: named("filtered.paid", "large", { data: { amount: 100 } }) },
      { explain: "filtered", event: "filtered.paid/small" },
      { explain: "filtered", event: "filtered.paid/large" },
    ],
  },
  {
    name: "a star takes all types that begin so",
    pipelines: ["prefixed"],
    steps: [{ emit: [...named("prefixed.a", "1"), ...named("prefixed.b", "1"), ...named("prefix.c", "1")] }],
  },
  {
    name: "all joins by key, in any order",
    pipelines: ["joined"],
    steps: [
      { emit: named("joined.shipped", "1", { data: { order: "a" } }) },
      { emit: named("joined.paid", "none", { data: {} }) },
      { emit: named("joined.paid", "2", { data: { order: "b" } }) },
      { explain: "joined", key: "a" },
      { explain: "joined", event: "joined.paid/none" },
      { explain: "joined", event: "joined.paid/2" },
      { emit: named("joined.paid", "1", { data: { order: "a" } }) },
      { explain: "joined", event: "joined.shipped/1" },
    ],
  },
  {
    name: "any, at least and sequence",
    pipelines: ["either", "quorum", "in-order"],
    steps: [
      { emit: [...named("either.stock", "1"), ...named("either.price", "1")] },
      { emit: [...named("quorum.c", "1 2")] },
      { explain: "quorum", event: "quorum.c/2" },
      { emit: named("quorum.a", "1") },
      {
        emit: [
          ...named("in-order.closed", "1"),
          ...named("in-order.opened", "1 2"),
          ...named("in-order.closed", "2"),
        ],
      },
      { explain: "in-order", event: "in-order.closed/1" },
      { explain: "in-order" },
    ],
  },
  {
    name: "unless",
    pipelines: ["unless-frozen"],
    steps: [
      { emit: named("unless.asked", "1") },
      { emit: named("unless.frozen", "1") },
      { emit: named("unless.asked", "2") },
      { explain: "unless-frozen", event: "unless.asked/2" },
      { explain: "unless-frozen" },
    ],
  },
  {
    name: "absent fires for what was not answered in time",
    pipelines: ["unanswered"],
    steps: [
      {
        emit: [
          ...named("unanswered.sent", "1", { data: { invoice: 1 } }),
          ...named("unanswered.sent", "2", { data: { invoice: 2 } }),
          ...named("unanswered.paid", "1", { data: { invoice: 1 } }),
        ],
      },
      { advance: "2s" },
      { explain: "unanswered", event: "unanswered.sent/1" },
    ],
  },
  {
    name: "count",
    pipelines: ["thirds"],
    steps: [
      {
        emit: [
          ...named("thirds.failed", "1", { subject: "ann" }),
          ...named("thirds.failed", "2", { subject: "bob" }),
          ...named("thirds.failed", "3 4 5", { subject: "ann" }),
        ],
      },
      { explain: "thirds", key: "ann" },
    ],
  },
  {
    name: "batch, session, debounce, throttle",
    pipelines: ["batched", "visited", "rebuilt", "throttled"],
    steps: [
      {
        emit: [
          ...named("batched.row", "1 2 3 4"),
          ...named("visited.page", "1 2", { subject: "ann" }),
          ...named("visited.page", "3", { subject: "bob" }),
          ...named("rebuilt.source", "1 2"),
          ...named("throttled.alarm", "1 2 3"),
        ],
      },
      { advance: "2s" },
    ],
  },
  {
    name: "windows by the events' own time, and revisions",
    pipelines: ["hourly"],
    steps: [
      {
        emit: ["10:05", "10:59", "11:05", "10:20", "11:10", "10:30", "12:10"].flatMap((time) =>
          named("hourly.reading", time, { time: `2026-03-01T${time}:00Z` }),
        ),
      },
      { explain: "hourly" },
    ],
  },
  {
    name: "a firing without a run says why",
    pipelines: ["wanting"],
    steps: [{ emit: named("wanting.go", "1") }, { explain: "wanting", event: "wanting.go/1" }],
  },
  {
    name: "what tasks emit counts with their success, and the log tells of failures",
    pipelines: ["chain", "chained", "alarmed"],
    steps: [
      { start: "chain", params: { kind: "good" } },
      { start: "chain", params: { kind: "bad" } },
    ],
  },
  {
    name: "fan-outs",
    pipelines: ["mapped", "partly"],
    steps: [
      { start: "mapped" },
      { start: "mapped", params: { count: 0 } },
      { start: "mapped", params: { count: -1 } },
      { start: "partly" },
    ],
  },
  {
    name: "branches, rules and short circuits",
    pipelines: ["delivery"],
    steps: [3, 20, 200, -1].map((kilos) => ({ start: "delivery", params: { kilos } })),
  },
  {
    name: "setup and teardown",
    pipelines: ["scratch"],
    steps: [
      { start: "scratch", params: { breaks: false } },
      { start: "scratch", params: { breaks: true } },
    ],
  },
  {
    name: "retries, and what does not retry",
    pipelines: ["failures", "refused"],
    steps: [{ start: "failures" }, { advance: "1s" }, { start: "refused" }],
  },
  {
    name: "calls",
    pipelines: ["callee", "caller", "broken-caller", "asking"],
    steps: [{ start: "caller" }, { start: "broken-caller" }, { start: "asking" }, { advance: "300ms" }],
  },
  {
    name: "what a task is told",
    pipelines: ["told"],
    steps: [{ start: "told" }, { start: "told", params: { n: 5 } }],
  },
  { name: "the cache", pipelines: ["cached"], steps: [{ start: "cached" }, { start: "cached" }] },
  {
    name: "limits delay, and lose nothing",
    pipelines: ["single"],
    steps: [{ emit: named("single.go", "1 2 3") }],
  },
  {
    name: "a deadline",
    pipelines: ["late"],
    prepare: (t) => t.task("linger").hangs(),
    steps: [{ start: "late" }, { advance: "1s" }],
  },
  {
    name: "assets: updates, what a success writes, progress, late data",
    pipelines: ["tidied", "counted"],
    steps: [
      {
        emit: named("millrace.asset.updated", "2", { subject: "landing", data: { partition: "2026-01-02" } }),
      },
      {
        emit: named("millrace.asset.updated", "1", { subject: "landing", data: { partition: "2026-01-01" } }),
      },
      {
        emit: named("millrace.asset.updated", "3", { subject: "landing", data: { partition: "2026-01-01" } }),
      },
      { advance: "1s" },
      { explain: "counted" },
    ],
  },
  {
    name: "steps and waits in code",
    pipelines: ["following"],
    steps: [
      { start: "following", params: { order: "a" } },
      { emit: named("follow.paid", "a", { subject: "a" }) },
      { advance: "300ms" },
    ],
  },
  {
    name: "waits in graphs",
    pipelines: ["shop", "patient"],
    steps: [
      { start: "shop", params: { item: "7" } },
      { emit: named("shop.paid", "8", { subject: "order-8" }) },
      { emit: named("shop.paid", "7", { subject: "order-7" }) },
      { start: "patient" },
      { advance: "300ms" },
    ],
  },
];
