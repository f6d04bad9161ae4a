/**
 * `millrace run`: on a server that runs, else on one that is started for this run alone.
 *
 * R1: with `--json` stdout carries exactly one document.
 * R2: Ctrl-C leaves a run on somebody's server alone and cancels one on our own.
 */
import { errorCodeOf, MillraceError } from "@millrace/core";
import type { PipelineDetail, RunSummary, StartRunRequest } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { findServer, projectHere, projectsOf, type FoundServer } from "../api/find-server.ts";
import type { RunOptions } from "../command/run.ts";
import { fromFolder, type Context } from "../environment.ts";
import { exitCodeOfRun, exitCodes } from "../exit-code.ts";
import { exitCodeOfSignal, onInterrupt, type StopSignal } from "../interrupt.ts";
import { followRun, readRunDocument } from "../run-view/follow.ts";
import { liveView, type RunView } from "../run-view/live-view.ts";
import { readParams } from "../run-view/params.ts";
import { plainView } from "../run-view/plain-view.ts";
import { requirePipeline } from "../api/find-pipeline.ts";
import { inspectedLabel, readInspected, requireInspectedItem, type Inspected } from "./inspected.ts";

/** A server to run on, and what becomes of it afterwards. */
interface RunPlace {
  readonly client: ApiClient;
  readonly isOwn: boolean;
  /** After a second Ctrl-C. */
  kill(): void;
  /** Nobody else needs it any more. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export async function runPipeline(context: Context, name: string, options: RunOptions): Promise<number> {
  if (options.inspect !== undefined && (options.json || options.detach)) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message:
        "`--inspect` shows in the log where a debugger attaches: `--json` and `--detach` would hide it.",
      advice: "Leave them out.",
    });
  }
  const found = await usableServer(context, options);
  if (!found && options.detach) {
    throw new MillraceError("MILLRACE_SERVER_UNREACHABLE", {
      message: "`--detach` needs a server that goes on, and none runs.",
      advice: "Start one with `millrace dev`, or leave `--detach` out.",
    });
  }
  const stop = new StopRequest();
  const place = found ? serverPlace(found.client) : await startOwn(context, options, stop);
  if (!place) return exitCodeOfSignal(stop.signal ?? "SIGINT");
  try {
    if (stop.signal !== undefined) return exitCodeOfSignal(stop.signal);
    const { run, inspected } = await startRun(context, place.client, name, options);
    if (options.detach) return tellDetached(context, run, options);
    if (options.inspect !== undefined) tellInspect(context, options.inspect);
    const shown = options.inspect === undefined ? options : { ...options, logs: true };
    const { exitCode, ended } = await follow(context, place, run, shown, stop);
    if (inspected && ended && stop.signal === undefined)
      await requireInspectedItem(place.client, ended, inspected);
    if (stop.signal === undefined) await place.idle();
    return exitCode;
  } finally {
    await place.stop();
    stop.release();
  }
}

function tellInspect({ terminal }: Context, node: string): void {
  terminal.note(
    terminal.paintNote.dim(
      `\`${node}\` waits for a debugger: its log says where. Open chrome://inspect or attach your editor there, and step into the task.`,
    ),
  );
}

/** A server that nobody named counts only when it knows this project: another project's may have the usual address. */
async function usableServer(context: Context, options: RunOptions): Promise<FoundServer | undefined> {
  const found = await findServer(context, options);
  if (found?.from !== "default") return found;
  const own = await projectHere(context);
  return own === undefined || (await projectsOf(found.client)).includes(own) ? found : undefined;
}

/** A terminal's Ctrl-C ends our own helpers, too: what they leave unfinished then is no failure. */
async function startOwn(
  context: Context,
  options: RunOptions,
  stop: StopRequest,
): Promise<RunPlace | undefined> {
  const { startOwnPlace } = await import("./own-place.ts");
  try {
    const place = await startOwnPlace(context, options);
    stop.onAgain(() => place.kill());
    return place;
  } catch (error) {
    if (stop.signal === undefined) throw error;
    stop.release();
    return undefined;
  }
}

async function startRun(
  context: Context,
  client: ApiClient,
  name: string,
  options: RunOptions,
): Promise<{ readonly run: RunSummary; readonly inspected: Inspected | undefined }> {
  const pipeline: PipelineDetail = await requirePipeline(client, name);
  const params = readParams(options, pipeline.definition.params?.schema, (path) => fromFolder(context, path));
  const inspected =
    options.inspect === undefined ? undefined : readInspected(options.inspect, pipeline.definition);
  const labels = { ...options.label, ...(inspected && inspectedLabel(inspected)) };
  const request: StartRunRequest = {
    pipeline: name,
    ...(params === undefined ? {} : { params }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(options.partition === undefined ? {} : { partition: options.partition }),
    ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
    ...(options.force === true ? { force: true } : {}),
  };
  const { run, created } = await client.post("/runs", request);
  if (!created)
    context.terminal.note(`The idempotency key had started ${run.id} before; no second run was made.`);
  return { run, inspected };
}

function tellDetached({ terminal }: Context, run: RunSummary, options: RunOptions): number {
  if (options.json) terminal.print(JSON.stringify({ run }));
  else {
    terminal.print(run.id);
    terminal.note(terminal.paintNote.dim(`Started. See it with \`millrace show ${run.id}\`.`));
  }
  return exitCodes.succeeded;
}

/** Follows a run on somebody's server: what `rerun` does, too. */
export async function followOnServer(
  context: Context,
  client: ApiClient,
  run: RunSummary,
  options: FollowChoice,
): Promise<number> {
  const stop = new StopRequest();
  try {
    return (await follow(context, serverPlace(client), run, options, stop)).exitCode;
  } finally {
    stop.release();
  }
}

function serverPlace(client: ApiClient): RunPlace {
  const nothing = async (): Promise<void> => undefined;
  return { client, isOwn: false, kill: () => undefined, idle: nothing, stop: nothing };
}

interface FollowChoice {
  readonly json?: boolean;
  readonly logs?: boolean;
}

interface Followed {
  readonly exitCode: number;
  /** Absent where it goes on. */
  readonly ended: RunSummary | undefined;
}

async function follow(
  context: Context,
  place: RunPlace,
  run: RunSummary,
  options: FollowChoice,
  stop: StopRequest,
): Promise<Followed> {
  const { terminal } = context;
  const detached = new AbortController();
  stop.onFirst(() => {
    if (!place.isOwn) return detached.abort();
    void cancel(place.client, run.id);
  });
  const ended = await watch(context, place.client, run, options, detached.signal);
  if (!ended) {
    terminal.note(`\nNot following any more; the run goes on. Cancel it with \`millrace cancel ${run.id}\`.`);
    return { exitCode: exitCodeOfSignal(stop.signal ?? "SIGINT"), ended };
  }
  if (options.json) terminal.print(JSON.stringify(await readRunDocument(place.client, run.id)));
  else if (exitCodeOfRun(ended.state) === exitCodes.failed) tellNext(context, ended, place);
  const exitCode = stop.signal === undefined ? exitCodeOfRun(ended.state) : exitCodeOfSignal(stop.signal);
  return { exitCode, ended };
}

async function watch(
  { terminal }: Context,
  client: ApiClient,
  run: RunSummary,
  options: FollowChoice,
  signal: AbortSignal,
): Promise<RunSummary | undefined> {
  if (options.json) return followRun(client, run, { signal, onEvent: () => undefined });
  const showLogs = options.logs === true;
  const view: RunView = terminal.isLive ? liveView(terminal, showLogs) : plainView(terminal, showLogs);
  let finish = (_ended: RunSummary | undefined): void => undefined;
  let snapshots = 0;
  try {
    const ended = await followRun(client, run, {
      signal,
      onStart: (picture) => {
        view.start(picture);
        finish = (last) => view.end(picture, last);
      },
      onEvent: (event) => {
        if (event.kind === "log") view.log(event.entry);
        else if (event.kind === "snapshot") snapshots += 1;
      },
      onAway: () => view.away(),
    });
    finish(ended);
    // Each connection begins with one; what was logged between two was not heard.
    if (showLogs && snapshots > 1)
      terminal.note(
        `The connection was lost for a while: lines may be missing above. \`millrace logs ${run.id}\` has them all.`,
      );
    return ended;
  } catch (error) {
    finish(undefined);
    throw error;
  }
}

async function cancel(client: ApiClient, runId: string): Promise<void> {
  try {
    await client.post(`/runs/${runId}/cancel`, {});
  } catch (error) {
    // It ended in the meantime; anything else shows in the run itself.
    if (errorCodeOf(error) === undefined) throw error;
  }
}

function tellNext({ terminal }: Context, run: RunSummary, place: RunPlace): void {
  const { paintNote: paint } = terminal;
  const commands = place.isOwn
    ? ["Fix it and run it again; `millrace dev` keeps a server with all runs."]
    : [`See why:   millrace show ${run.id}`, `Run again: millrace rerun ${run.id}`];
  for (const line of commands) terminal.note(paint.dim(`  ${line}`));
}

/** The user's wish to stop, whoever has to do something about it at the time. */
class StopRequest {
  signal: StopSignal | undefined;
  #first: () => void = () => undefined;
  #again: () => void = () => undefined;
  readonly #interrupts = onInterrupt(
    (signal) => {
      this.signal = signal;
      this.#first();
    },
    () => {
      this.#again();
      process.exit(exitCodes.interrupted);
    },
  );

  onFirst(react: () => void): void {
    this.#first = react;
    if (this.signal !== undefined) react();
  }

  onAgain(react: () => void): void {
    this.#again = react;
  }

  release(): void {
    this.#interrupts.release();
  }
}
