/** Faults of probes. */
import { probeChangedType, probePresentType } from "@millrace/core";
import { EventLog, ProbeHost } from "@millrace/server";
import { nothing, patch, withBatch, type Mutant } from "./mutant.ts";

/** The log is told nothing of what is `left` out. */
function untold(left: (type: string) => boolean): () => void {
  return patch(
    EventLog,
    "emit",
    (original) =>
      function (...values) {
        const [rows] = values as unknown as [readonly { readonly type: string }[]];
        const others = rows.filter(({ type }) => !left(type));
        original.apply(this, [others] as never[]);
      },
  );
}

export const probeMutants: readonly Mutant[] = [
  {
    name: "changes untold",
    breaks: "a change is told in the flush that remembers it (P3)",
    parts: ["probes"],
    apply: () => untold((type) => type === probeChangedType),
  },
  {
    name: "what was there untold",
    breaks: "a wait learns of what was there when it began (P4)",
    parts: ["probes"],
    apply: () => untold((type) => type === probePresentType),
  },
  {
    name: "told of what they find",
    breaks: "who finds a change by looking back is not told of it once more, also after a take-over (P4)",
    parts: ["probes"],
    apply: () =>
      patch(
        ProbeHost,
        "wanted",
        (original) =>
          function (...values) {
            const [ref, joins] = values as unknown as [unknown, { readonly token: string } | undefined];
            return original.apply(this, [ref, joins && { token: joins.token }] as never[]);
          },
      ),
    wrapStore: (store) => ({
      ...store,
      findWaits: async (shards, keys, after, limit) => {
        const { waits, next } = await store.findWaits(shards, keys, after, limit);
        return { waits: waits.map((row) => ({ ...row, joinsAfter: undefined })), next };
      },
    }),
  },
  {
    name: "what was seen forgotten",
    breaks: "a level is told once, also over a take-over (C9 of the design)",
    parts: ["probes"],
    apply: nothing,
    wrapStore: (store) =>
      withBatch(store, (batch) => ({
        ...batch,
        probes: batch.probes.map((row) => ({ ...row, fingerprint: undefined })),
      })),
  },
  {
    name: "looks without end",
    breaks: "a thing is looked at while somebody waits for it (P1)",
    parts: ["probes"],
    apply: nothing,
    wrapStore: (store) => ({
      ...store,
      findWaits: async (shards, keys, after, limit) =>
        limit === 1 ? { waits: [{} as never], next: undefined } : store.findWaits(shards, keys, after, limit),
    }),
  },
];
