/**
 * `POST /runs/:id/move`: a run goes on with another bundle.
 *
 * V1: what keeps it from that is told before anything is changed; its owner judges once more (M2).
 */
import { isRunEnded, MillraceError, type Graph, type MoveFault } from "@millrace/core";
import type { MoveRequest, RunSummary } from "@millrace/protocol";
import type { LiveRun, TaskRunRow } from "@millrace/store";
import type { RehearsedName } from "../engine/inbox-message.ts";
import { moveFaults } from "../engine/run-moves.ts";
import type { ApiContext } from "./api-context.ts";
import { moveFaultsShownMax, moveMs, movePollMs, moveTryMs } from "./limits.ts";
import { findCurrent } from "./run-commands.ts";
import { snapshotOf } from "./run-snapshot.ts";
import { summaryOf } from "./run-summary.ts";

export async function moveRun(
  context: ApiContext,
  id: string,
  request: MoveRequest,
): Promise<{ readonly run: RunSummary }> {
  const { clock, host } = context;
  const run = await findCurrent(context, id);
  const bundle = request.bundle ?? (await newestBundle(context, run));
  for (const until = clock.monotonic() + moveMs; clock.monotonic() < until;) {
    const now = await findCurrent(context, id);
    if (now.bundle === bundle) return { run: summaryOf(now) };
    const rehearsed = await requireMovable(context, now, bundle);
    const { generation } = now;
    const message = { runId: id, generation, bundle, rehearsed };
    const isTold = await host.run((engine) => engine.moveRun(message));
    if (isTold && (await isMoved(context, id, bundle)))
      return { run: summaryOf(await findCurrent(context, id)) };
  }
  throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
    message: `The run ${id} did not come to rest, and goes on with the bundle that it has.`,
    advice: "Move it once it only waits.",
    fields: { run: id },
  });
}

async function newestBundle({ host }: ApiContext, run: LiveRun): Promise<string> {
  const active = await host.engine.definitions.active(run.workspace, run.pipeline);
  if (active) return active.bundle;
  throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `The pipeline "${run.pipeline}" is not deployed any more.`,
    advice: "Name a bundle.",
  });
}

/** Its owner takes some milliseconds. */
async function isMoved(context: ApiContext, id: string, bundle: string): Promise<boolean> {
  const { clock } = context;
  for (const until = clock.monotonic() + moveTryMs; ;) {
    if ((await findCurrent(context, id)).bundle === bundle) return true;
    if (clock.monotonic() >= until) return false;
    await new Promise<void>((resolve) => {
      clock.after(movePollMs, resolve);
    });
  }
}

/** What was rehearsed for it. Throws MILLRACE_MOVE_REFUSED with all that is in the way, MILLRACE_BUNDLE_UNKNOWN, MILLRACE_RUN_STATE_CONFLICT. */
async function requireMovable(
  context: ApiContext,
  run: LiveRun,
  bundle: string,
): Promise<readonly RehearsedName[]> {
  if (isRunEnded(run.state) || run.state === "quarantined") {
    throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
      message: `The run ${run.id} is ${run.state}: a rerun takes the newest bundle.`,
      fields: { run: run.id, state: run.state },
    });
  }
  const { definitions, values } = context.host.engine;
  const to = await definitions.graph(run.workspace, bundle, run.pipeline);
  if (!to) {
    throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
      message: `The pipeline "${run.pipeline}" was never deployed with the bundle ${bundle.slice(0, 100)}.`,
      advice: "List deployments and their bundles with `millrace rollback --list`.",
      fields: { bundle },
    });
  }
  const { graph, taskRuns } = await snapshotOf(context, run.id, undefined);
  const restless = taskRuns.filter(({ state }) => state === "queued" || state === "running");
  if (run.state === "queued") throw refused(run, [{ node: "", item: "", text: "it has not begun" }]);
  if (restless.length > 0) {
    const text = (row: TaskRunRow): string =>
      row.state === "running" ? "runs with the bundle that it has" : "waits for a worker";
    throw refused(
      run,
      restless.map((row) => ({ node: row.node, item: row.item, text: text(row) })),
    );
  }
  const rows = taskRuns.filter(({ state }) => state !== "pending");
  const faults = await moveFaults(values, { from: graph, to, run, rows });
  if (faults.length > 0) throw refused(run, faults);
  return rehearsedFor(context, run, { bundle, to });
}

/** Functions that have recorded something must come to the same with the other code. */
async function rehearsedFor(
  context: ApiContext,
  run: LiveRun,
  { bundle, to }: { readonly bundle: string; readonly to: Graph },
): Promise<readonly RehearsedName[]> {
  const tasks = await context.host.run((engine) => engine.rehearsals.rehearse(run.id, bundle, to));
  const faults = tasks.flatMap(({ node, item, faults: own }) =>
    own.map((text): MoveFault => ({ node, item, text: `diverges: ${text}` })),
  );
  if (faults.length > 0) throw refused(run, faults);
  return tasks.map(({ node, item, generation, seq }) => ({ node, item, generation, seq }));
}

function refused({ id, bundle }: LiveRun, faults: readonly MoveFault[]): MillraceError {
  const told = faults.slice(0, moveFaultsShownMax).map(({ node, item, text }) => {
    const place = item === "" ? "" : `[${item}]`;
    return node === "" ? text : `"${node}${place}" ${text}`;
  });
  const more = faults.length > told.length ? `; and ${faults.length - told.length} more` : "";
  return new MillraceError("MILLRACE_MOVE_REFUSED", {
    message: `The run ${id} stays with its bundle ${bundle.slice(0, 12)}: ${told.join("; ")}${more}.`,
    fields: { run: id, faults: faults.slice(0, 100) },
  });
}
