/** Faults of waits, and of what functions record. */
import { approvalRequested } from "@millrace/core";
import type { StepName } from "@millrace/protocol";
import { Dispatcher, EventLog, RecentEntries, RunHost } from "@millrace/server";
import type { FlushBatch, StepRow } from "@millrace/store";
import { nothing, patch, withBatch, type Mutant } from "./mutant.ts";

export const waitMutants: readonly Mutant[] = [
  {
    name: "ends of waits dropped",
    breaks: "a wait that ends is taken by its run, in the flush that says so (J6)",
    apply: () => {
      let calls = 0;
      return patch(
        RunHost,
        "step",
        (original) =>
          function (...values) {
            const [, message] = values as unknown as [unknown, { kind: string }];
            if (message.kind === "wait_ended") calls += 1;
            return message.kind === "wait_ended" && calls % 3 === 0
              ? undefined
              : original.apply(this, values);
          },
      );
    },
  },
  {
    name: "ends of waits left nowhere",
    breaks: "the end of a wait whose run is not in memory stays in its row (J6)",
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        waitsChanged: batch.waitsChanged.map((change) => ({ ...change, end: undefined })),
      })),
  },
  {
    name: "waits without a past",
    breaks: "a wait is told what came before it, from where it looks back to (J4)",
    apply: () => patch(RecentEntries, "since", () => () => []),
  },
  {
    name: "beginnings by the clock",
    breaks: "a wait looks back to where the log ended when its run was made, by position",
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      loadRunPositions: async (workspace, ids) =>
        (await store.loadRunPositions(workspace, ids)).map(({ id }) => ({ id, position: undefined })),
    }),
  },
  {
    name: "waits that are told later",
    breaks: "the rows of waits and their shards' position change in one flush (J5)",
    apply: nothing,
    wrapStore: (store) => {
      let late: FlushBatch["waitsChanged"] = [];
      return withBatch(store, (batch) => {
        const waitsChanged = late;
        late = batch.waitsChanged;
        return { ...batch, waitsChanged };
      });
    },
  },
  {
    name: "steps said to be recorded before",
    breaks: "a step is said to be recorded after its commit (W6)",
    apply: () =>
      patch(
        Dispatcher,
        "noteRecorded",
        () =>
          (worker: { link?: { send(message: unknown): void } }, token: unknown, steps: readonly StepName[]) =>
            worker.link?.send({ kind: "recorded", token, steps }),
      ),
  },
  {
    name: "steps forgotten",
    breaks: "a step that was recorded is told to each later dispatch (R5)",
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({ ...batch, steps: batch.steps.filter(({ kind }) => kind === "wait") })),
  },
  {
    name: "failures of steps forgotten",
    breaks: "that a step failed is told to each later dispatch of its attempt (R5)",
    parts: ["steps"],
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      loadSteps: async (key) =>
        (await store.loadSteps(key)).filter(
          ({ kind, outcome }) => kind === "wait" || outcome.kind !== "error",
        ),
    }),
  },
  {
    name: "failures of steps kept",
    breaks: "that a step failed counts for its attempt alone",
    parts: ["steps"],
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      loadSteps: async (key) => {
        const attempts = Array.from({ length: key.attempt }, (_, before) => before + 1);
        const rows = await Promise.all(attempts.map((attempt) => store.loadSteps({ ...key, attempt })));
        const byName = new Map(rows.flat().map((row) => [`${row.kind} ${row.name}`, row]));
        return [...byName.values()].map((row, at) => ({ ...row, seq: at + 1 }));
      },
    }),
  },
  {
    name: "sleeps cut short",
    breaks: "a sleep lasts as long as was asked",
    parts: ["steps"],
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        waits: batch.waits.map((row) =>
          row.condition === undefined && row.timeoutAt !== undefined
            ? { ...row, timeoutAt: row.timeoutAt - 900, dueAt: row.timeoutAt - 900 }
            : row,
        ),
      })),
  },
  {
    name: "asked without a word",
    breaks: "who is asked is asked in the log, in the flush of the wait or before it",
    parts: ["approvals"],
    apply: () =>
      patch(
        EventLog,
        "emit",
        (original) =>
          function (...values) {
            const [rows] = values as unknown as [readonly { readonly type: string }[]];
            const others = rows.filter(({ type }) => type !== approvalRequested);
            original.apply(this, [others] as never[]);
          },
      ),
  },
  {
    name: "a rejection is an approval",
    breaks: "a function sees the answer that was given",
    parts: ["approvals"],
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({ ...batch, steps: batch.steps.map((row) => asApproved(row)) })),
  },
  {
    name: "late answers count",
    breaks: "an answer counts until the wait's timeout, and no longer (J2)",
    parts: ["approvals"],
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        waits: batch.waits.map((row) =>
          row.approval !== undefined && row.timeoutAt !== undefined
            ? { ...row, timeoutAt: row.timeoutAt + 60_000, dueAt: row.timeoutAt + 60_000 }
            : row,
        ),
      })),
  },
];

function asApproved(row: StepRow): StepRow {
  const { value } = row.outcome.kind === "value" ? row.outcome.value : { value: undefined };
  if (value === null || typeof value !== "object" || !("approved" in value)) return row;
  return { ...row, outcome: { kind: "value", value: { value: { ...value, approved: true } } } };
}
