/**
 * Runs a function that has just been suspended once more on its own records, as its resume will: it must come to the same steps
 * and waits. Where it does not, something outside decides: the clock, chance, data that no step has read. `dev` does this, for
 * there a person reads the log; what the function does outside its steps happens once more by it.
 */
import { compareOperations, describeDivergence, type AskedOperation } from "@millrace/core";
import { limits } from "../limits.ts";
import type { LocalRecord } from "../pool/child-message.ts";
import { cleanStack } from "./attempt-error.ts";
import { Operations, type Operation, type OperationsHost } from "./operations.ts";

export interface ReplayCheckParts {
  /** What the function asked for the first time. */
  readonly asked: readonly Operation[];
  readonly records: readonly LocalRecord[];
  readonly host: Pick<OperationsHost, "read" | "nextTurn" | "later" | "now" | "isQuiet">;
  /** Where the bundle lies. */
  readonly folder: string;
  /** Calls the function with these operations; nothing of what it says may leave. */
  call(operations: Operations): Promise<unknown>;
}

/** What differs, as text; `undefined`: nothing. */
export async function checkReplay(parts: ReplayCheckParts): Promise<string | undefined> {
  const before = placed(parts.asked, parts.folder);
  const found = compareOperations(before, await rehearse(parts)).map(describeDivergence);
  if (found.length === 0) return undefined;
  const more = found.length > shownMax ? ` and ${found.length - shownMax} more` : "";
  return `The function does not come to the same steps and waits when it runs again: ${found.slice(0, shownMax).join("; ")}${more}. What it asks for may depend on its input and on what its steps gave, not on time, chance or outside data.`;
}

/** Runs the function on its records, and gives what it asks for until nothing but waits is left, or it ends. */
export async function rehearse({
  records,
  host,
  folder,
  call,
}: Omit<ReplayCheckParts, "asked">): Promise<AskedOperation[]> {
  const again = await new Promise<readonly Operation[]>((resolve) => {
    const operations: Operations = new Operations(records, {
      ...host,
      beginsSteps: false,
      keepsRecords: false,
      post: () => {},
      isEmitting: () => false,
      suspend: () => resolve(operations.asked),
      warn: () => {},
      wentOn: () => {},
      repeats: () => {},
    });
    const ended = (): void => operations.functionEnded(() => resolve(operations.asked));
    call(operations).then(ended, ended);
    host.later(limits.replayCheckMs, () => resolve(operations.asked));
  });
  return placed(again, folder);
}

function placed(list: readonly Operation[], folder: string): AskedOperation[] {
  return list.map(({ kind, name, occurrence, mark }) => ({
    kind,
    name,
    occurrence,
    ...placeOf(mark, folder),
  }));
}

const shownMax = 5;

/** The line that asked, as in the project. */
export function placeOf(mark: Error, folder: string): { readonly place?: string } {
  const frame = cleanStack(mark.stack ?? "", folder)
    .split("\n")
    .find((line) => /^\s+at /.test(line));
  const place = /([^\s(]+:\d+):\d+\)?$/.exec(frame ?? "")?.[1];
  return place === undefined ? {} : { place };
}
