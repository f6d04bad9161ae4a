/** What functions tell of assets, and what their success tells by itself (R7 of the machine). */
import type { AttemptOutcome, NamedReport, RunEffect, TaskRun } from "./state.ts";

/** An output that was recorded earlier wrote nothing now: then the task run is not running. */
export function tellEmitted(
  effects: RunEffect[],
  taskRun: TaskRun,
  { events = [], assets = [] }: Extract<AttemptOutcome, { kind: "succeeded" }>,
): void {
  const declared = taskRun.state === "running" ? (taskRun.node.definition.writes ?? []) : [];
  const told = new Set([...assetsTold(assets), ...(taskRun.code?.told ?? [])]);
  const writes = declared.filter((asset) => !told.has(asset));
  if (events.length + assets.length + writes.length === 0) return;
  effects.push({ kind: "emitted", taskRun, events, assets, writes });
}

/** A step of the function told these. False where that changes nothing. */
export function noteTold({ code }: TaskRun, assets: readonly NamedReport[]): boolean {
  const told = assetsTold(assets);
  for (const asset of told) code?.told.add(asset);
  return told.length > 0;
}

/** A new key says nothing of what became of the data. */
function assetsTold(assets: readonly NamedReport[]): string[] {
  return assets.flatMap(({ report }) => (report.kind === "partition" ? [] : [report.asset]));
}
