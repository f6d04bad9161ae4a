/** What servers tell each other of what is live, as text of notifications. */
import { liveNoteBytesMax } from "@millrace/store";

/** A chunk of a log by its name in the table. */
export type ChunkName = readonly [
  runId: string,
  node: string,
  item: string,
  generation: number,
  attempt: number,
  dispatch: number,
  position: number,
];

export type ProgressNote = readonly [
  runId: string,
  node: string,
  item: string,
  generation: number,
  dispatch: number,
  fraction: number,
  message?: string,
];

export type LiveNote =
  /** `by` has readers of these runs. Above 0, `round` asks for an answer also from those who know. */
  | { readonly kind: "watch"; readonly by: string; readonly round: number; readonly of: readonly string[] }
  /** All that `by` had of these runs when it heard `to` is stored. */
  | {
      readonly kind: "heard";
      readonly by: string;
      readonly to: string;
      readonly round: number;
      readonly of: readonly string[];
    }
  /** `by` stored something of these runs and could not tell what. */
  | { readonly kind: "missed"; readonly by: string; readonly of: readonly string[] }
  /** `by` committed changes of these runs. */
  | { readonly kind: "changed"; readonly by: string; readonly of: readonly string[] }
  /** The same of runs of these pipelines. */
  | { readonly kind: "activity"; readonly by: string; readonly of: readonly string[] }
  | { readonly kind: "chunks"; readonly by: string; readonly of: readonly ChunkName[] }
  | { readonly kind: "progress"; readonly by: string; readonly of: readonly ProgressNote[] };

export type NoteHead = Pick<LiveNote, "kind" | "by"> & { readonly to?: string; readonly round?: number };

const progressTextMax = 500;

/** The progress of an attempt is told to people: a long text is cut, so that each fits into a note. */
export function progressNote(
  token: {
    readonly runId: string;
    readonly node: string;
    readonly item: string;
    readonly generation: number;
    readonly dispatch: number;
  },
  value: { readonly fraction: number; readonly message?: string },
): ProgressNote {
  const { runId, node, item, generation, dispatch } = token;
  const { fraction, message } = value;
  if (message === undefined) return [runId, node, item, generation, dispatch, fraction];
  return [runId, node, item, generation, dispatch, fraction, message.slice(0, progressTextMax)];
}

/** Texts of notifications, each with as many of `of` as fit. */
export function textsOf(head: NoteHead, of: readonly LiveNote["of"][number][]): string[] {
  const texts: string[] = [];
  const headBytes = Buffer.byteLength(JSON.stringify({ ...head, of: [] }));
  let parts: string[] = [];
  let bytes = headBytes;
  const end = (): void => {
    if (parts.length > 0) texts.push(`${JSON.stringify(head).slice(0, -1)},"of":[${parts.join(",")}]}`);
    parts = [];
    bytes = headBytes;
  };
  for (const one of of) {
    const part = JSON.stringify(one);
    const size = Buffer.byteLength(part) + 1;
    if (bytes + size > liveNoteBytesMax) end();
    parts.push(part);
    bytes += size;
  }
  end();
  return texts;
}

/** Nothing, for what another version says. */
export function readLiveNote(text: string): LiveNote | undefined {
  try {
    const note = JSON.parse(text) as Partial<LiveNote>;
    return typeof note.by === "string" && Array.isArray(note.of) ? (note as LiveNote) : undefined;
  } catch {
    return undefined;
  }
}
