/**
 * How much of an attempt's records may travel inline: all of them go with each dispatch, several dispatches in one frame. What
 * does not fit rests as a blob.
 */
import { inlineBytesMax, inlineRecordsBytesMax, smallBytesMax } from "@millrace/protocol";
import type { LocalRecord } from "../pool/child-message.ts";
import type { Produced } from "./value.ts";

export class InlineBudget {
  #left: number | undefined;
  readonly #records: readonly LocalRecord[];

  /** `records`: what travels already. */
  constructor(records: readonly LocalRecord[]) {
    this.#records = records;
  }

  /** `produce` is told how long a value may be to stay inline. */
  take(produce: (inlineMax: number) => Produced): Produced {
    const left = (this.#left ??= inlineRecordsBytesMax - inlineBytesOf(this.#records));
    const produced = produce(Math.min(inlineBytesMax, Math.max(left, smallBytesMax)));
    if ("value" in produced.carried) this.#left = left - Buffer.byteLength(produced.text);
    return produced;
  }
}

function inlineBytesOf(records: readonly LocalRecord[]): number {
  let bytes = 0;
  for (const { kind, outcome } of records) {
    if (kind === "step" && outcome.kind === "value" && "value" in outcome.value)
      bytes += Buffer.byteLength(JSON.stringify(outcome.value.value));
  }
  return bytes;
}
