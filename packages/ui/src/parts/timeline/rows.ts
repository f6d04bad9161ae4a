/** Runs as rows of blocks: a row for each pipeline, with as many lines as runs lie over each other, up to some. */
import type { RunBlockView, TimelineView } from "@millrace/protocol";

export interface Block {
  readonly run: RunBlockView;
  readonly begin: number;
  readonly end: number;
  readonly line: number;
}

export interface TimelineRow {
  readonly pipeline: string;
  readonly blocks: readonly Block[];
  /** Lines that blocks take, from 1. */
  readonly lines: number;
  readonly ticks: readonly number[];
  /** Runs of it failed, or are live: it is not left out. */
  readonly isAlive: boolean;
}

const linesMax = 4;
/** Neighbours that lie as near, as a share of the whole, do not share a line. */
const gapShare = 1 / 400;

export function rowsOf(view: TimelineView): TimelineRow[] {
  const now = Date.parse(view.now);
  const gap = (Date.parse(view.until) - Date.parse(view.from)) * gapShare;
  const names = new Set([
    ...view.runs.map(({ pipeline }) => pipeline),
    ...view.ticks.map(({ pipeline }) => pipeline),
  ]);
  return [...names].sort().map((pipeline) => {
    const runs = view.runs.filter((run) => run.pipeline === pipeline);
    const { blocks, lines } = stacked(runs, now, gap);
    return {
      pipeline,
      blocks,
      lines,
      ticks: view.ticks.filter((tick) => tick.pipeline === pipeline).map(({ at }) => Date.parse(at)),
      isAlive: runs.some(({ state }) => state === "failed" || state === "running" || state === "quarantined"),
    };
  });
}

function stacked(
  runs: readonly RunBlockView[],
  now: number,
  gap: number,
): { readonly blocks: readonly Block[]; readonly lines: number } {
  const ends: number[] = [];
  const blocks = runs
    .map((run) => ({
      run,
      begin: Date.parse(run.startedAt ?? run.createdAt),
      end: run.endedAt === undefined ? now : Date.parse(run.endedAt),
    }))
    .sort((a, b) => a.begin - b.begin)
    .map((block) => {
      const free = ends.findIndex((end) => end + gap <= block.begin);
      const line = free >= 0 ? free : Math.min(ends.length, linesMax - 1);
      ends[line] = Math.max(ends[line] ?? 0, block.end);
      return { ...block, line };
    });
  return { blocks, lines: Math.max(1, ends.length) };
}

/** Those that are shown where not all are: what is alive, then what ran last; in the order of their names. */
export function chosenRows(rows: readonly TimelineRow[], max: number): readonly TimelineRow[] {
  if (rows.length <= max) return rows;
  const lastOf = ({ blocks }: TimelineRow): number => Math.max(0, ...blocks.map(({ end }) => end));
  const chosen = new Set(
    [...rows].sort((a, b) => Number(b.isAlive) - Number(a.isAlive) || lastOf(b) - lastOf(a)).slice(0, max),
  );
  return rows.filter((row) => chosen.has(row));
}
