import type { Command } from "commander";
import {
  apiPrefix,
  type FiringDetail,
  type RunDetail,
  type RunSummary,
  type TaskRunView,
} from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { findRunId } from "../api/find-run.ts";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import { assetUseLines } from "../asset-view/uses.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { definitionOf, readRunDocument, readWholeRun } from "../run-view/follow.ts";
import { RunPicture } from "@millrace/protocol/run-picture";
import { stateSentence } from "../run-view/sentence.ts";
import { treeLines } from "../run-view/tree.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { cut, formatDuration, formatTime, harmless, plural } from "../terminal/format.ts";
import { stateLabel, stateMark } from "../terminal/marks.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { memberLines } from "../trigger-view/firing.ts";
import { openWaitLines, stepLines } from "../wait-view/wait.ts";

interface ShowOptions extends ServerOptions {
  readonly json?: boolean;
  readonly attempts?: boolean;
}

/** A fan-out's tree stays short; whoever wants every item asks for JSON. */
const treeLinesMax = 200;
const attemptsShown = 20;
const artifactsShown = 20;
const stackLinesMax = 12;
const nodesWithWaits = 100;
const stepsShown = 50;
/** Of `--json`. */
const stepsMax = 10_000;

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("<run>", "its id, or the beginning of it"))
    .option("--attempts", "every attempt of every node")
    .option("--json", "print JSON: { run, nodes, steps, firing, assets }")
    .addHelpText(
      "after",
      examples(
        ["millrace show r0v2", "a run by the beginning of its id"],
        ["millrace show r0v2 --json", "for scripts"],
      ),
    )
    .action(finish((run: string, options: ShowOptions) => showRun(context, run, options)));
}

async function showRun(context: Context, given: string, options: ShowOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const id = await findRunId(client, given);
  const path = `/runs/${encodeURIComponent(id)}/firing`;
  const { firing } = await client.get(path);
  if (options.json) {
    const { items: assets } = await client.get(`/runs/${encodeURIComponent(id)}/assets`);
    const steps = await client.list(`/runs/${id}/steps`, {}, stepsMax);
    terminal.print(JSON.stringify({ ...(await readRunDocument(client, id)), steps, firing, assets }));
    return exitCodes.succeeded;
  }
  const detail = await readWholeRun(client, id);
  const picture = new RunPicture(detail.run, await definitionOf(client, detail.run));
  picture.apply({ kind: "snapshot", detail });
  const now = Date.now();
  for (const line of headLines(detail, firing, terminal, now)) terminal.print(line);
  terminal.print("");
  const width = terminal.isLive ? terminal.columns() - 1 : 400;
  const tree = { paint: terminal.paint, width, now, linesMax: treeLinesMax };
  for (const line of treeLines(picture, tree)) terminal.print(line);
  const { items: uses } = await client.get(`/runs/${encodeURIComponent(id)}/assets`);
  for (const line of assetUseLines(uses, terminal.paint)) terminal.print(line);
  for (const line of openWaitLines(detail.nodes.slice(0, nodesWithWaits), terminal.paint, new Date(now)))
    terminal.print(line);
  for (const line of await recordLines(client, id, terminal)) terminal.print(line);
  for (const line of await artifactLines(client, id, terminal)) terminal.print(line);
  const attempts = options.attempts ? detail.nodes : detail.nodes.filter(({ state }) => state === "failed");
  if (attempts.length === 0) return exitCodes.succeeded;
  const workers = await workerNames(client);
  for (const line of attemptLines(attempts, workers, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

function headLines(
  { run, nodes }: RunDetail,
  firing: FiringDetail | null,
  { paint }: Terminal,
  now: number,
): string[] {
  const lines = [
    `${stateMark(run.state, paint)} ${paint.bold(run.pipeline)} ${paint.dim(run.id)}`,
    `  ${stateSentence(run, nodes, now)}`,
    `  ${paint.dim(`because ${causeOf(run, firing)}`)}`,
    ...(firing ? memberLines(firing, paint, new Date(now)).map((line) => `    ${line}`) : []),
  ];
  if (run.params !== null && JSON.stringify(run.params) !== "{}") {
    lines.push(`  ${paint.dim("params")} ${harmless(cut(JSON.stringify(run.params), 400))}`);
  }
  const labels = Object.entries(run.labels).map(([name, value]) => `${name}=${value}`);
  if (labels.length > 0) lines.push(`  ${paint.dim("labels")} ${labels.join(" ")}`);
  if (run.output !== undefined)
    lines.push(`  ${paint.dim("output")} ${harmless(cut(JSON.stringify(run.output), 400))}`);
  if (run.outputBlob)
    lines.push(`  ${paint.dim("output")} ${run.outputBlob.bytes} bytes of JSON; see them with --json`);
  lines.push(
    `  ${paint.dim(`project ${run.project}, bundle ${run.bundle.slice(0, 12)}, generation ${run.generation}`)}`,
  );
  return lines;
}

function causeOf(run: RunSummary, firing: FiringDetail | null): string {
  if (run.parent) {
    const item = run.parent.item === "" ? "" : `[${run.parent.item}]`;
    return `node ${run.parent.node}${item} of run ${run.parent.runId} called it`;
  }
  if (firing) {
    const key = firing.key === undefined ? "" : `, key ${firing.key}`;
    const revision = firing.revision > 1 ? `, revision ${firing.revision}` : "";
    const incomplete = firing.incomplete ? ", incomplete" : "";
    return `its trigger fired (version ${firing.version}${key}${revision}${incomplete})`;
  }
  return "somebody started it";
}

/** Steps and waits that its functions have recorded. */
async function recordLines(client: ApiClient, runId: string, { paint }: Terminal): Promise<string[]> {
  const page = await client.get(`/runs/${runId}/steps`, { limit: stepsShown });
  const lines = stepLines(page.items, paint, new Date());
  if (page.nextCursor !== undefined) lines.push(paint.dim("  … and more; see them with --json"));
  return lines;
}

/** With the address at which each can be had. */
async function artifactLines(client: ApiClient, runId: string, { paint }: Terminal): Promise<string[]> {
  const { items: artifacts } = await client.get(`/runs/${runId}/artifacts`);
  const lines = artifacts.slice(0, artifactsShown).map(({ node, item, attempt, name, type, blob }) => {
    const place = `${node}${item === "" ? "" : `[${item}]`}${attempt > 1 ? ` attempt ${attempt}` : ""}`;
    const address = `${client.url}${apiPrefix}/blobs/${blob}`;
    return `  ${harmless(name)}  ${paint.dim(`${type} of ${place}  ${address}`)}`;
  });
  if (artifacts.length > artifactsShown) lines.push(paint.dim("  … and more"));
  return lines.length === 0 ? [] : ["", paint.bold("artifacts"), ...lines];
}

/** Of those that are connected; one that has gone is known by its id alone. */
async function workerNames(client: ApiClient): Promise<ReadonlyMap<string, string>> {
  const { items } = await client.get("/workers");
  return new Map(items.map(({ id, name }) => [id, name]));
}

/** The attempts of task runs, with the stacks of their errors. */
function attemptLines(
  taskRuns: readonly TaskRunView[],
  workers: ReadonlyMap<string, string>,
  { paint }: Terminal,
): string[] {
  const lines: string[] = [];
  for (const taskRun of taskRuns.slice(0, attemptsShown)) {
    const item = taskRun.item === "" ? "" : `[${taskRun.item}]`;
    lines.push("", paint.bold(`${taskRun.id}${item}`));
    if (taskRun.attempts.length === 0)
      lines.push(paint.dim(`  no attempt${taskRun.reason ? `: ${taskRun.reason.message}` : ""}`));
    for (const attempt of taskRun.attempts) {
      const at = new Date(attempt.startedAt);
      const took =
        attempt.endedAt === undefined ? "" : ` ${formatDuration(Date.parse(attempt.endedAt) - at.getTime())}`;
      const again = attempt.dispatch > attempt.attempt ? `, dispatch ${attempt.dispatch}` : "";
      const generation = attempt.generation > 1 ? `generation ${attempt.generation}, ` : "";
      const { worker } = attempt;
      const where =
        worker === undefined ? "" : `  on ${workers.get(worker) ?? `worker ${worker.slice(0, 8)}`}`;
      const state = attemptLabel(attempt.state, paint);
      lines.push(
        `  ${state}  ${generation}attempt ${attempt.attempt}${again}  ${paint.dim(`${formatTime(at, new Date())}${took}${where}`)}`,
      );
      if (!attempt.error) continue;
      const { name, message, stack, code, cause } = attempt.error;
      const text = stack?.includes(message) ? stack : `${code ?? name}: ${message}\n${stack ?? ""}`;
      const texts = cause === undefined ? [text] : [text, `Caused by: ${cause}`];
      for (const line of texts.flatMap((one) => one.trimEnd().split("\n").slice(0, stackLinesMax)))
        lines.push(paint.red(`      ${harmless(line)}`));
    }
  }
  const more = taskRuns.length - attemptsShown;
  if (more > 0) lines.push("", paint.dim(`… and ${plural(more, "more task run")}; see them all with --json`));
  return lines;
}

function attemptLabel(state: TaskRunView["attempts"][number]["state"], paint: Terminal["paint"]): string {
  if (state === "lost") return paint.yellow("! lost");
  return state === "suspended" ? paint.dim("◌ suspended") : stateLabel(state, paint);
}
