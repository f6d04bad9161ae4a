/**
 * The values of one attempt that lie in files: those it gets, which are kept on this machine while it needs them, and those that
 * its child made, which are stored at the server.
 */
import type { AttemptOutcome, CarriedValue, Dispatch, StepRecord, WaitRequest } from "@millrace/protocol";
import type { BlobCache } from "../blob/blob-cache.ts";
import { limits } from "../limits.ts";
import type { ChildOutcome, LocalRecord, LocalValue, ProducedValue } from "../pool/child-message.ts";

/** What an attempt's child is given, on this machine. */
export interface LocalValues {
  readonly input: LocalValue;
  readonly params: LocalValue | undefined;
  readonly records: readonly LocalRecord[] | undefined;
}

/** `undefined`: something must be fetched first. */
export function valuesAtHand({ input, params, records }: Dispatch): LocalValues | undefined {
  if ("blob" in input || (params && "blob" in params) || records?.some(restsElsewhere)) return undefined;
  // What rests elsewhere has been excluded.
  return { input, params, records: records as readonly LocalRecord[] | undefined };
}

function restsElsewhere({ outcome }: StepRecord): boolean {
  return outcome.kind === "value" && "blob" in outcome.value;
}

export class AttemptValues {
  readonly #blobs: BlobCache;
  readonly #pinned: string[] = [];

  constructor(blobs: BlobCache) {
    this.#blobs = blobs;
  }

  async fetch({ input, params, records }: Dispatch): Promise<LocalValues> {
    return {
      input: await this.#local(input),
      params: params && (await this.#local(params)),
      records: records && (await this.#localRecords(records)),
    };
  }

  /** Lets go of what was fetched. */
  unpin(): void {
    for (const hash of this.#pinned.splice(0)) this.#blobs.unpin(hash);
  }

  async store(value: ProducedValue): Promise<CarriedValue> {
    if (!("file" in value)) return value;
    const { file, blob, bytes } = value;
    await this.#blobs.store(file, blob, bytes);
    return { blob, bytes };
  }

  async storeOutcome(outcome: ChildOutcome): Promise<AttemptOutcome> {
    switch (outcome.kind) {
      case "succeeded":
        return { ...outcome, output: await this.store(outcome.output) };
      case "suspended": {
        const waits = outcome.waits.map(async ({ op, ...name }): Promise<WaitRequest> => {
          if (op.kind !== "call") return { ...name, op };
          return { ...name, op: { ...op, params: await this.store(op.params) } };
        });
        return { kind: "suspended", waits: await Promise.all(waits) };
      }
      default:
        return outcome;
    }
  }

  async #local(value: CarriedValue): Promise<LocalValue> {
    if (!("blob" in value)) return value;
    const file = await this.#blobs.pin(value.blob);
    this.#pinned.push(value.blob);
    return { file };
  }

  async #localRecords(records: readonly StepRecord[]): Promise<LocalRecord[]> {
    const local: LocalRecord[] = [];
    for (let at = 0; at < records.length; at += limits.fetchesMax) {
      const some = records.slice(at, at + limits.fetchesMax);
      // All have ended before one of them fails the attempt: what they hold is let go then.
      const fetched = await Promise.allSettled(some.map(async (record) => this.#localRecord(record)));
      for (const one of fetched) {
        if (one.status === "rejected") throw one.reason;
        local.push(one.value);
      }
    }
    return local;
  }

  async #localRecord(record: StepRecord): Promise<LocalRecord> {
    const { outcome } = record;
    if (outcome.kind !== "value") return { ...record, outcome };
    return { ...record, outcome: { kind: "value", value: await this.#local(outcome.value) } };
  }
}

/** `undefined` when it holds a file that must be stored first. */
export function carriedOutcome(outcome: ChildOutcome): AttemptOutcome | undefined {
  switch (outcome.kind) {
    case "succeeded": {
      const { output } = outcome;
      return "file" in output ? undefined : { ...outcome, output };
    }
    case "suspended": {
      const waits: WaitRequest[] = [];
      for (const { op, ...name } of outcome.waits) {
        if (op.kind !== "call") waits.push({ ...name, op });
        else if ("file" in op.params) return undefined;
        else waits.push({ ...name, op: { ...op, params: op.params } });
      }
      return { kind: "suspended", waits };
    }
    default:
      return outcome;
  }
}
