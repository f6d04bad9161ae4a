import { MillraceError, nearestName } from "@millrace/core";
import type { FiringDetail, FiringView, SimulateRequest, TriggerSummary } from "@millrace/protocol";
import type { Command } from "commander";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { prepareProject } from "../stack/deployment.ts";
import { examples, readCount, readTime, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatTable, formatTime, harmless, plural, zoneNote } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { explanationLines } from "../trigger-view/explanation.ts";
import { firingOutcome, memberLines, simulatedLines } from "../trigger-view/firing.ts";

interface TriggerOptions extends ServerOptions {
  readonly json?: boolean;
}

interface ExplainOptions {
  readonly key?: string;
  readonly event?: string;
  readonly source?: string;
}

interface FiringsOptions {
  readonly key?: string;
  readonly limit: number;
  readonly members?: boolean;
}

interface SimulateOptions {
  readonly since?: string;
  readonly after?: number;
  readonly limit: number;
  readonly files?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace trigger list", "what starts runs, and when it did last"],
        ["millrace trigger explain report", "what it has and what it waits for"],
        ["millrace trigger explain report --event 1207", "why that event did or did not count"],
        ["millrace trigger simulate report --since 7d", "which firings it would have made"],
      ),
    )
    .action(finish((options: TriggerOptions) => list(context, options)));
  command
    .command("list")
    .description("list the triggers of all pipelines")
    .action(finish((_own: object, inner: Command) => list(context, inner.optsWithGlobals<TriggerOptions>())));
  command
    .command("show <pipeline>")
    .description("show a pipeline's trigger with its definition")
    .action(
      finish((name: string, _own: object, inner: Command) =>
        show(context, name, inner.optsWithGlobals<TriggerOptions>()),
      ),
    );
  defineExplain(command, context, finish);
  defineFirings(command, context, finish);
  defineSimulate(command, context, finish);
}

function defineExplain(command: Command, context: Context, finish: Finish): void {
  command
    .command("explain <pipeline>")
    .description("say what its trigger has and waits for, or what became of an event")
    .option("--key <key>", "the state of this key")
    .option("--event <position|id>", "what became of this event")
    .option("--source <uri>", "the source of the event, where its id is not enough")
    .addHelpText(
      "after",
      examples(
        ["millrace trigger explain report --key order-7", ""],
        ["millrace trigger explain report --event 1207", "by its position in the log, or its id"],
      ),
    )
    .action(
      finish((name: string, own: ExplainOptions, inner: Command) =>
        explain(context, name, own, inner.optsWithGlobals<TriggerOptions>()),
      ),
    );
}

function defineFirings(command: Command, context: Context, finish: Finish): void {
  command
    .command("firings <pipeline>")
    .description("list what its trigger fired, the newest first")
    .option("--key <key>", "of this key only")
    .option("--limit <count>", "how many", readCount, 20)
    .option("--members", "with the events of each")
    .addHelpText("after", examples(["millrace trigger firings report --members", ""]))
    .action(
      finish((name: string, own: FiringsOptions, inner: Command) =>
        firings(context, name, own, inner.optsWithGlobals<TriggerOptions>()),
      ),
    );
}

function defineSimulate(command: Command, context: Context, finish: Finish): void {
  command
    .command("simulate <pipeline>")
    .description("run its condition over the recorded log, and list the firings that it would have made")
    .option("--since <time>", "what was recorded since then: a time, or how long ago (2h, 7d)", readTime)
    .option("--after <position>", "what stands after this position of the log", readCount)
    .option("--limit <count>", "how many firings are shown", readCount, 20)
    .option("--files", "the condition as the project's files have it: it need not be deployed")
    .addHelpText(
      "after",
      examples(
        ["millrace trigger simulate report --since 7d", ""],
        ["millrace trigger simulate report --since 7d --files", "before you deploy it"],
      ),
    )
    .action(
      finish((name: string, own: SimulateOptions, inner: Command) =>
        simulate(context, name, own, inner.optsWithGlobals<TriggerOptions>()),
      ),
    );
}

async function list(context: Context, options: TriggerOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const triggers = await client.list("/triggers");
  if (options.json) {
    terminal.print(JSON.stringify({ triggers }));
    return exitCodes.succeeded;
  }
  if (triggers.length === 0) {
    terminal.print("No pipeline has a trigger. Give one a condition with its option `on`.");
    return exitCodes.succeeded;
  }
  const now = new Date();
  const rows = triggers.map((trigger) => rowOf(trigger, terminal.paint, now));
  for (const line of formatTable(rows, { width: terminal.lineWidth(), yields: [5, 4, 2, 3] }))
    terminal.print(line);
  for (const line of refusedLines(triggers, terminal.paint)) terminal.print(line);
  return exitCodes.succeeded;
}

/** Of a firing that would have gone on with a loop of triggers. */
const loopCode = "trigger_loop";

/** What is in the way of those whose newest firing started nothing: whole, however narrow the terminal. */
export function refusedLines(triggers: readonly TriggerSummary[], paint: Colors): string[] {
  return triggers.flatMap(({ pipeline, lastFiring }) =>
    lastFiring?.reason
      ? [`${paint.red("×")} ${paint.bold(pipeline)}: ${harmless(lastFiring.reason.message)}`]
      : [],
  );
}

export function rowOf(trigger: TriggerSummary, paint: Colors, now: Date): string[] {
  const { paused, lastFiring, nextDue, isOver, keyed, keys, keysAreMore } = trigger;
  return [
    paused
      ? paint.yellow(`‖ paused ${formatAgo(new Date(paused.at), now)}`)
      : lastFiring?.reason
        ? paint.red(lastFiring.reason.code === loopCode ? "× loop stopped" : "× no run began")
        : paint.green("● active"),
    paint.bold(trigger.pipeline),
    harmless(trigger.condition),
    lastFiring ? `fired ${formatAgo(new Date(lastFiring.at), now)}` : paint.dim("has not fired"),
    nextDue === undefined
      ? paint.dim(isOver ? "no further ticks" : "")
      : paint.dim(`due ${formatTime(new Date(nextDue), now)}`),
    keyed ? paint.dim(`${plural(keys, "key")}${keysAreMore ? " or more" : ""}`) : "",
  ];
}

async function show(context: Context, name: string, options: TriggerOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const trigger = await client.get(`/triggers/${encodeURIComponent(name)}`);
  if (options.json) {
    terminal.print(JSON.stringify(trigger));
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const now = new Date();
  const { activated, definition, lastFiring, paused, nextDue } = trigger;
  terminal.print(`${paint.bold(trigger.pipeline)}  ${harmless(trigger.condition)}`);
  const policy = (how: typeof definition.onResume): string =>
    typeof how === "string" ? how : `the newest ${how.limit}`;
  const rows = [
    [
      "version",
      `${trigger.version}, since position ${activated.position}, ${formatTime(new Date(activated.at), now)}`,
    ],
    ["operands", trigger.operands.join(", ")],
    ["on resume", policy(definition.onResume)],
    ["catch-up", policy(definition.catchUp)],
    ["policy", definition.policy ?? "each"],
    ...(definition.loopLimit === undefined ? [] : [["loop limit", `${definition.loopLimit}`]]),
    ...(trigger.keyed ? [["keys", `${trigger.keys}${trigger.keysAreMore ? " or more" : ""}`]] : []),
    ...(paused
      ? [["paused", `since position ${paused.position}, ${formatTime(new Date(paused.at), now)}`]]
      : []),
    ...(nextDue === undefined ? [] : [["due", formatTime(new Date(nextDue), now)]]),
    ...(lastFiring
      ? [
          [
            "last firing",
            `${formatTime(new Date(lastFiring.at), now)}${lastFiring.runId === undefined ? "" : `, run ${lastFiring.runId}`}${lastFiring.reason ? `; ${harmless(lastFiring.reason.message)}` : ""}`,
          ],
        ]
      : []),
  ].map(([title = "", value = ""]) => [paint.dim(title), value]);
  for (const line of formatTable(rows)) terminal.print(`  ${line}`);
  terminal.print(
    `\n${JSON.stringify(definition.condition, undefined, 2).split("\n").map(harmless).join("\n")}`,
  );
  return exitCodes.succeeded;
}

async function explain(
  context: Context,
  name: string,
  own: ExplainOptions,
  options: TriggerOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { key, event, source } = own;
  const path = `/triggers/${encodeURIComponent(name)}/explain` as const;
  const explanation = await client.get(path, { key, event, source });
  if (options.json) terminal.print(JSON.stringify(explanation));
  else
    for (const line of explanationLines(explanation, { paint: terminal.paint, now: new Date() }))
      terminal.print(line);
  return exitCodes.succeeded;
}

async function firings(
  context: Context,
  name: string,
  own: FiringsOptions,
  options: TriggerOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const path = `/triggers/${encodeURIComponent(name)}/firings` as const;
  const found = await client.list(path, { key: own.key }, own.limit);
  const details: (FiringView & Partial<FiringDetail>)[] = [];
  for (const firing of found)
    details.push(own.members ? await client.get(`${path}/${encodeURIComponent(firing.id)}`) : firing);
  if (options.json) {
    terminal.print(JSON.stringify({ firings: details }));
    return exitCodes.succeeded;
  }
  if (details.length === 0)
    terminal.print(`${name} has not fired${own.key === undefined ? "" : " for this key"}.`);
  const { paint } = terminal;
  const now = new Date();
  for (const firing of details) {
    const { key, id, revision, memberCount, at, members, partition, incomplete, position } = firing;
    const parts = [
      paint.dim(formatTime(new Date(at), now)),
      key === undefined ? "" : paint.bold(harmless(key)),
      firingOutcome(firing, paint),
      partition === undefined ? "" : paint.bold(harmless(partition)),
      revision > 1 ? `revision ${revision}` : "",
      incomplete ? "incomplete" : "",
      // Members are kept of what starts a run.
      firing.state === "refused"
        ? paint.dim(`after event ${position}`)
        : paint.dim(plural(memberCount, "member")),
      paint.dim(harmless(id)),
    ];
    terminal.print(parts.filter((part) => part !== "").join("  "));
    if (!members) continue;
    for (const line of memberLines({ members, memberCount }, paint, now)) terminal.print(`    ${line}`);
  }
  return exitCodes.succeeded;
}

async function simulate(
  context: Context,
  name: string,
  own: SimulateOptions,
  options: TriggerOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { since, after, limit } = own;
  const request: SimulateRequest = {
    pipeline: name,
    limit,
    ...(own.files ? { trigger: await triggerInFiles(context, name) } : {}),
    ...(since === undefined ? {} : { since }),
    ...(after === undefined ? {} : { after }),
  };
  const outcome = await client.post("/triggers/simulate", request);
  if (options.json) {
    terminal.print(JSON.stringify(outcome));
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const { firings: shown, firingCount, concerned, from, to, cut } = outcome;
  const now = new Date();
  terminal.print(`${paint.bold(name)}  ${harmless(outcome.condition)}`);
  const told =
    from >= to ? ": there is nothing in the log" : `, in the log from position ${from + 1} to ${to}`;
  terminal.print(
    `${plural(firingCount, "firing")} ${firingCount > 0 && concerned === 0 ? "by time alone" : `from ${plural(concerned, "event")} of its types`}${told}${from >= to && since !== undefined ? " since then" : ""}.`,
  );
  if (cut !== undefined) terminal.print(paint.yellow(`It ends there as ${cut}.`));
  if (outcome.onlyWhereAsked !== undefined)
    terminal.print(
      paint.dim(
        `Of ${outcome.onlyWhereAsked.join(", ")} the log has what a deployed condition asked for: it may have fired more often.`,
      ),
    );
  if (outcome.policy !== undefined)
    terminal.print(
      paint.dim(
        outcome.policy === "coalesce"
          ? "Those that come while its pipeline has no slot share a run (coalesce): how long runs take is not in the log."
          : "Of those that come while its pipeline has no slot the newest has a run (latest): how long runs take is not in the log.",
      ),
    );
  if (shown.length > 0) terminal.print(paint.dim(zoneNote()));
  for (const firing of shown.toReversed())
    for (const line of simulatedLines(firing, paint, now)) terminal.print(line);
  if (firingCount > shown.length)
    terminal.print(paint.dim(`  before them ${firingCount - shown.length} more`));
  return exitCodes.succeeded;
}

/** Of a project that need not be deployed: its files are run in the bounded child, as a deploy does. */
async function triggerInFiles(
  context: Context,
  name: string,
): Promise<NonNullable<SimulateRequest["trigger"]>> {
  const { definition } = await prepareProject(context.folder);
  const found = definition.pipelines.find((pipeline) => pipeline.name === name);
  if (found?.trigger) return found.trigger as unknown as NonNullable<SimulateRequest["trigger"]>;
  const names = definition.pipelines.filter(({ trigger }) => trigger).map((pipeline) => pipeline.name);
  const near = nearestName(name, names);
  throw new MillraceError(found ? "MILLRACE_TRIGGER_UNKNOWN" : "MILLRACE_PIPELINE_UNKNOWN", {
    message: found
      ? `The pipeline \`${name}\` of this project has no trigger.`
      : `The project's files have no pipeline \`${name}\`.`,
    ...(near === undefined ? {} : { advice: `Did you mean \`${near}\`?` }),
  });
}
