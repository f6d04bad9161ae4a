/** Odd waits and conditions, which a testbed and a server are asked to do alike. */
import { named, type Scenario } from "./testbed-scenarios.ts";

export const oddScenarios: readonly Scenario[] = [
  {
    name: "several waits at once, answered in any order",
    pipelines: ["several"],
    steps: [
      { start: "several" },
      { emit: named("odd.b", "1") },
      { emit: named("odd.a", "1 2") },
      { advance: "50ms" },
    ],
  },
  {
    name: "a race of waits, and what goes on of those that lost",
    pipelines: ["racing"],
    steps: [{ start: "racing" }, { advance: "100ms" }, { emit: named("odd.any", "1") }],
  },
  {
    name: "repeated waits each take what came after the one before",
    pipelines: ["repeated"],
    steps: [{ start: "repeated" }, { emit: named("odd.tick", "1") }, { emit: named("odd.tick", "2 3 4") }],
  },
  {
    name: "two waits for the same, and a third that comes too late",
    pipelines: ["same"],
    steps: [
      { start: "same" },
      { emit: named("odd.same", "1") },
      { advance: "100ms" },
      { emit: named("odd.same", "2") },
    ],
  },
  {
    name: "waits of a graph for the same events",
    pipelines: ["graph-waits"],
    steps: [
      { start: "graph-waits" },
      { emit: named("odd.wrong", "1") },
      { emit: named("odd.left", "1") },
      { emit: named("odd.left", "2") },
    ],
  },
  { name: "a wait for silence", pipelines: ["silent"], steps: [{ start: "silent" }, { advance: "200ms" }] },
  {
    name: "conditions within conditions, by key",
    pipelines: ["nested"],
    steps: [
      {
        emit: [
          ...named("odd.nested.try", "1", { subject: "a" }),
          ...named("odd.nested.ask", "1", { subject: "a" }),
          ...named("odd.nested.try", "2", { subject: "b" }),
          ...named("odd.nested.stop", "1", { subject: "b" }),
          ...named("odd.nested.ask", "2", { subject: "b" }),
        ],
      },
      { explain: "nested", key: "a" },
      { explain: "nested", key: "b" },
      {
        emit: [
          ...named("odd.nested.try", "3", { subject: "b" }),
          ...named("odd.nested.try", "4", { subject: "a" }),
          ...named("odd.nested.try", "5"),
        ],
      },
      { explain: "nested", key: "b" },
      { explain: "nested", event: "odd.nested.try/5" },
      { explain: "nested", event: "odd.nested.ask/2" },
    ],
  },
  {
    name: "sessions of keys that are no texts, and of none",
    pipelines: ["sessions"],
    steps: [
      {
        emit: [
          ...named("odd.page", "1", { data: { user: 1 } }),
          ...named("odd.page", "2", { data: { user: "1" } }),
          ...named("odd.page", "3", { data: { user: null } }),
          ...named("odd.page", "4", { data: { user: true } }),
          ...named("odd.page", "5", { data: { user: { id: 1 } } }),
          ...named("odd.page", "6"),
        ],
      },
      { explain: "sessions", event: "odd.page/5" },
      { explain: "sessions", event: "odd.page/1" },
      { advance: "1s" },
      { explain: "sessions", event: "odd.page/3" },
    ],
  },
  {
    name: "a sequence that has the same type twice",
    pipelines: ["ordered"],
    steps: [
      {
        emit: [
          ...named("odd.one", "1 2", { subject: "a" }),
          ...named("odd.two", "1", { subject: "a" }),
          ...named("odd.two", "2", { subject: "b" }),
          ...named("odd.one", "3", { subject: "b" }),
        ],
      },
      { explain: "ordered", key: "a" },
      { explain: "ordered", key: "b" },
      { emit: named("odd.one", "4", { subject: "a" }) },
      { explain: "ordered", event: "odd.two/2" },
    ],
  },
  {
    name: "one event for several operands",
    pipelines: ["overlapping"],
    steps: [
      { emit: named("odd.over.c", "1") },
      { explain: "overlapping" },
      { emit: named("odd.over.a", "1 2") },
      { explain: "overlapping" },
      { emit: named("odd.over.b", "1") },
    ],
  },
];
