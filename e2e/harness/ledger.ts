/** What tasks wrote down themselves, outside of everything that they test: a line when they begin and when they end. */
import { existsSync, readFileSync } from "node:fs";

export interface LedgerLine {
  readonly at: number;
  readonly pid: number;
  readonly event: "start" | "end";
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly key: string;
}

export function readLedger(path: string): LedgerLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerLine);
}

/** Lines of one task run, by run, node and item. */
export function byTaskRun(lines: readonly LedgerLine[]): Map<string, LedgerLine[]> {
  return Map.groupBy(lines, ({ run, node, item }) => `${run}/${node}/${item}`);
}
