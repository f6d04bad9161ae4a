/** Faults of runs, commits, limits, workers and the log. */
import { canonicalJson, runSucceeded, type Run, type TaskRun } from "@millrace/core";
import type { AttemptOutcome, Results } from "@millrace/protocol";
import {
  Admission,
  Arrivals,
  Definitions,
  Dispatcher,
  EventLog,
  GroupCommit,
  LimitHost,
  Membership,
  Readiness,
  RunEntrance,
  RunHost,
  WorkerHub,
} from "@millrace/server";
import type { EngineStore } from "@millrace/store";
import { nothing, patch, withBatch, type MutableDatabase, type Mutant } from "./mutant.ts";

const brokenOutcome: AttemptOutcome = { kind: "failed", error: { name: "Error", message: "it broke" } };

/** A store whose flush forgets its guard: fenced nodes commit, and any number is taken. */
function unguarded(store: EngineStore, database: MutableDatabase): EngineStore {
  return {
    ...store,
    flush: async (nodeId, number, batch) => {
      const node = database.tables.nodes.get(nodeId);
      const { fenced } = node ?? { fenced: false };
      if (node) Object.assign(node, { fenced: false, lastFlush: number - 1 });
      const outcome = await store.flush(nodeId, number, batch);
      if (node) node.fenced = fenced;
      return outcome;
    },
  };
}

export const engineMutants: readonly Mutant[] = [
  {
    name: "no fence",
    breaks: "a fenced node commits nothing (F1)",
    apply: nothing,
    wrapStore: unguarded,
  },
  {
    name: "blind repeat",
    breaks: "a flush whose answer was lost is repeated without asking whether it landed (G3)",
    apply: nothing,
    wrapStore: (store, database) => ({
      ...store,
      lastFlush: async (nodeId) => {
        const last = await store.lastFlush(nodeId);
        const node = database.tables.nodes.get(nodeId);
        if (node && !last.fenced) node.lastFlush -= 1;
        return { ...last, number: last.number - 1 };
      },
    }),
  },
  {
    name: "dispatch before commit",
    breaks: "a dispatch leaves only after its commit (D2)",
    apply: () => patch(GroupCommit, "afterCommit", () => (callback: () => void) => queueMicrotask(callback)),
  },
  {
    name: "acknowledge before commit",
    breaks: "a result is acknowledged after the commit that it caused (W3)",
    apply: () =>
      patch(
        Dispatcher,
        "acknowledge",
        () => (worker: { link?: { send(message: unknown): void } }, token: unknown) =>
          worker.link?.send({ kind: "ack", tokens: [token] }),
      ),
  },
  {
    name: "forgotten slot",
    breaks: "what a dispatch held of limits comes back (Y1)",
    apply: () => {
      let calls = 0;
      return patch(
        Readiness,
        "release",
        (original) =>
          function (...values) {
            calls += 1;
            return calls % 20 === 0 ? undefined : original.apply(this, values);
          },
      );
    },
  },
  {
    name: "overshoot",
    breaks: "a limit grants no more than its slots (L1)",
    apply: () =>
      patch(
        LimitHost,
        "ask",
        (original) =>
          function (...values) {
            const [key, request, slots] = values as unknown as [unknown, unknown, number];
            return original.apply(this, [key, request, slots + 1] as never[]);
          },
      ),
  },
  {
    name: "forgotten retry",
    breaks: "retries that are due later survive a take-over",
    apply: () =>
      patch(
        RunHost,
        "restore",
        (original) =>
          function (...values) {
            const [created, rows] = values as unknown as [unknown, readonly TaskRun[]];
            const asleep = rows.map((row) =>
              row.state === "retrying" ? { ...row, resumeAt: (row.resumeAt ?? 0) + 1e12 } : row,
            );
            return original.apply(this, [created, asleep] as never[]);
          },
      ),
  },
  {
    name: "stale token",
    breaks: "a message about an earlier dispatch changes nothing (R1)",
    apply: () =>
      patch(
        RunHost,
        "step",
        (original) =>
          function (...values) {
            const [entry, message] = values as unknown as [{ run: Run }, { kind: string; token?: object }];
            return original.apply(this, [entry, renewToken(entry.run, message)] as never[]);
          },
      ),
  },
  {
    name: "message deleted unheard",
    breaks: "a message for a run on its way into memory waits for it (T3)",
    apply: () => {
      const arrivals = new Set<string>();
      const isArriving = (id: string): boolean => arrivals.has(id);
      const brought = patch(
        Arrivals,
        "bring",
        (original) =>
          async function (...values) {
            const [{ id }] = values as unknown as [{ id: string }];
            arrivals.add(id);
            await original.apply(this, values);
            arrivals.delete(id);
          },
      );
      const recalled = patch(
        RunEntrance,
        "recall",
        (original) =>
          async function (...values) {
            const [{ id }] = values as unknown as [{ id: string }];
            if (!isArriving(id)) await original.apply(this, values);
          },
      );
      const received = patch(
        RunEntrance,
        "receive",
        (original) =>
          async function (...values) {
            const [content, , taken] = values as unknown as [{ runId: string }, number, () => void];
            if ((this as RunEntrance).knows(content.runId)) await original.apply(this, values);
            else taken();
          },
      );
      return () => {
        brought();
        recalled();
        received();
      };
    },
  },
  {
    name: "lost attempt",
    breaks: "every dispatch that was replaced left an attempt",
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        attempts: batch.attempts.filter(({ state }) => state !== "lost"),
      })),
  },
  {
    name: "lost row",
    breaks: "no transition is lost (G1)",
    apply: nothing,
    wrapStore: (store) => {
      let flushes = 0;
      return withBatch(store, (batch) => {
        flushes += 1;
        return flushes % 50 === 0 ? { ...batch, taskRuns: batch.taskRuns.slice(1) } : batch;
      });
    },
  },
  {
    name: "grant not committed",
    breaks: "what runs holds its limits, durably",
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({ ...batch, grants: batch.grants.filter(({ kind }) => kind !== "pool") })),
  },
  {
    name: "release forgotten",
    breaks: "shards that a node gave up are free for others",
    apply: nothing,
    wrapStore: (store) => ({ ...store, releaseShards: async () => undefined }),
  },
  {
    name: "queue forgets",
    breaks: "a queued run is begun once and surely (A2)",
    apply: () => {
      let calls = 0;
      return patch(
        Admission,
        "next",
        (original) =>
          function () {
            calls += 1;
            const next = original.apply(this, []);
            return calls % 30 === 0 && next !== undefined ? original.apply(this, []) : next;
          },
      );
    },
  },
  {
    name: "no waking",
    breaks: "a run that waits outside of memory comes back when it is due (H4, U1)",
    apply: nothing,
    wrapStore: (store) => ({ ...store, loadWaitingRuns: async () => [] }),
  },
  {
    name: "deaf while it waits",
    breaks: "a message brings a run back that waits outside of memory (H4)",
    apply: () => patch(RunEntrance, "recall", () => async () => undefined),
  },
  {
    name: "evicted too early",
    breaks: "only a run in which nothing runs or is queued leaves memory (H4)",
    apply: () =>
      patch(
        RunHost,
        "evictIdle",
        (original) =>
          function (this: unknown) {
            const host = this as { entries(): Iterable<{ run: Run; eviction: unknown }> };
            original.apply(this, []);
            for (const entry of host.entries())
              if (entry.run.counts.running > 0)
                entry.eviction ??= { wakeAt: Number.MAX_SAFE_INTEGER, isStored: false };
          },
      ),
  },
  {
    name: "emitted and forgotten",
    breaks: "what a success emits, and what the engine tells, is in the flush of it",
    apply: () => {
      let calls = 0;
      return patch(
        EventLog,
        "emit",
        (original) =>
          function (this: unknown, rows: never) {
            calls += 1;
            return calls % 9 === 0 ? undefined : original.apply(this, [rows]);
          },
      );
    },
  },
  {
    name: "accepted and forgotten",
    breaks: "an event that was accepted at another node comes into the log (Q2)",
    apply: () => {
      let calls = 0;
      return patch(
        EventLog,
        "receive",
        (original) =>
          function (this: unknown, message: never) {
            calls += 1;
            return calls % 5 === 0 ? undefined : original.apply(this, [message]);
          },
      );
    },
  },
  {
    name: "dropped and forgotten",
    breaks: "what a worker does not run any more is lost, and repeated (K3)",
    apply: () =>
      patch(
        WorkerHub,
        "heartbeat",
        () =>
          function (this: unknown, ...values) {
            const [worker] = values as unknown as Parameters<WorkerHub["heard"]>;
            (this as WorkerHub).heard(worker);
          },
      ),
  },
  {
    name: "refused rerun accepted",
    breaks: "of two reruns at once one is refused, and told so (B1)",
    apply: () =>
      patch(
        RunEntrance,
        "rerun",
        (original) =>
          async function (...values) {
            await (original.apply(this, values) as Promise<void>).catch(() => undefined);
          },
      ),
  },
  {
    name: "kept rows forgotten",
    breaks: "a rerun keeps what it does not concern",
    apply: () =>
      patch(
        RunEntrance,
        "rerun",
        (original) =>
          function (...values) {
            const [rerun] = values as unknown as [object];
            return original.apply(this, [{ ...rerun, kept: [] }] as never[]);
          },
      ),
  },
  {
    name: "rerun in the same generation",
    breaks: "a rerun makes the next generation",
    apply: () =>
      patch(
        RunEntrance,
        "rerun",
        (original) =>
          function (...values) {
            const [rerun] = values as unknown as [{ identity: { generation: number } }];
            const { identity } = rerun;
            const again = { ...identity, generation: identity.generation - 1 };
            return original.apply(this, [{ ...rerun, identity: again }] as never[]);
          },
      ),
  },
  {
    name: "unlimited reruns",
    breaks: "a rerun waits for its pipeline's limit as a new run does",
    apply: () =>
      patch(
        Admission,
        "addLimited",
        (original) =>
          function (...values) {
            const [run] = values as unknown as [{ generation: number }];
            if (run.generation > 1) (this as Admission).add(run as never);
            else original.apply(this, values);
          },
      ),
  },
  {
    name: "newest code for all",
    breaks: "a run's generation stays on its bundle",
    apply: () =>
      patch(
        Definitions,
        "graph",
        (original) =>
          async function (...values) {
            const definitions = this as Definitions;
            const [workspace, , pipeline] = values as unknown as [number, string, string];
            const active = definitions.known(workspace, pipeline);
            return active ? definitions.graphOf(active) : original.apply(this, values);
          },
      ),
  },
  {
    name: "deaf to deploys",
    breaks: "what begins after a deploy has its bundle",
    apply: () => patch(Definitions, "forgetActive", () => () => undefined),
  },
  {
    name: "success is silent elsewhere",
    breaks: "what conditions ask for is told in the flush of the end, on every node",
    apply: () =>
      patch(
        EventLog,
        "emit",
        (original) =>
          function (...values) {
            const [rows] = values as unknown as [
              readonly { readonly type: string; readonly runId?: string }[],
            ];
            const isTold = rows.some(({ type }) => type === runSucceeded);
            if (!isTold || Number(rows[0]?.runId?.slice(-1).codePointAt(0)) % 4 !== 0)
              original.apply(this, values);
          },
      ),
  },
  {
    name: "returned and forgotten",
    breaks: "what a worker returns is dispatched again",
    apply: () =>
      patch(
        RunHost,
        "step",
        (original) =>
          function (...values) {
            const [, message] = values as unknown as [unknown, { kind: string }];
            return message.kind === "returned" ? undefined : original.apply(this, values);
          },
      ),
  },
  {
    name: "returned is a failure",
    breaks: "what a worker returns is nobody's attempt",
    apply: () =>
      patch(
        WorkerHub,
        "results",
        (original) =>
          function (...values) {
            const [worker, message] = values as unknown as [unknown, Results];
            const results = message.results.map((result) =>
              result.outcome.kind === "returned" ? { ...result, outcome: brokenOutcome } : result,
            );
            return original.apply(this, [worker, { ...message, results }] as never[]);
          },
      ),
  },
  {
    name: "deaf to draining",
    breaks: "a worker that drains gets nothing new",
    apply: () => patch(WorkerHub, "drain", () => () => undefined),
  },
  {
    name: "everything is ours",
    breaks: "only the holder of a shard steps what stands in it (N1)",
    apply: () => patch(Membership, "owns", () => () => true),
  },
];

/** The message as if it spoke of the dispatch that is current now. */
function renewToken(run: Run, message: { kind: string; token?: object }): unknown {
  if (message.kind !== "result" || !message.token) return message;
  const token = message.token as { node: string; item: string; dispatch: number };
  const name = canonicalJson([token.node, token.item]);
  for (const taskRun of run.root.taskRuns) {
    if (canonicalJson([taskRun.node.definition.id, taskRun.item]) === name)
      return { ...message, token: { ...token, dispatch: taskRun.dispatch } };
  }
  return message;
}
