import type { Command } from "commander";
import type { DeployResponse } from "@millrace/protocol";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import { fromFolder, type Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { activeDeployment, deployProject, prepareProject } from "../stack/deployment.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { spentScheduleLines } from "../trigger-view/spent-schedules.ts";
import { plural } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface DeployOptions extends ServerOptions {
  readonly dryRun?: boolean;
  readonly pausedTriggers?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("[folder]", "the project's folder", "."))
    .option("--dry-run", "show what would change, and change nothing")
    .option("--paused-triggers", "triggers that are new begin paused, until you resume their pipelines")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace deploy --dry-run", "what would change"],
        ["millrace deploy --paused-triggers", "new triggers wait for `millrace pipelines resume`"],
        ["MILLRACE_TOKEN=… millrace deploy --url https://millrace.example.com", "to a server"],
      ),
    )
    .action(
      finish((folder: string, options: DeployOptions) =>
        deploy({ ...context, folder: fromFolder(context, folder) }, options),
      ),
    );
}

async function deploy(context: Context, options: DeployOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServerToChange(context, options);
  const project = await prepareProject(context.folder);
  const dryRun = options.dryRun === true;
  const { hash, project: name } = project.bundle.manifest;
  const isSame = (await activeDeployment(client, name))?.bundle === hash;
  const pausesNewTriggers =
    options.pausedTriggers === true || project.loaded.configuration.newTriggers === "paused";
  const response = await deployProject(client, project, { dryRun: dryRun || isSame, pausesNewTriggers });
  if (options.json)
    terminal.print(JSON.stringify({ deployment: isSame ? null : response, unchanged: isSame }));
  else if (isSame) {
    terminal.print(`${response.project} is deployed already, from the same files.`);
    for (const line of spentScheduleLines(response))
      terminal.print(`  ${terminal.paint.yellow("!")} ${line}`);
  } else for (const line of describeDeployment(response, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

/** The difference, name by name. */
export function describeDeployment(response: DeployResponse, { paint }: Terminal): string[] {
  const { added, changed, unchanged, retired, pausedTriggers = [] } = response;
  const lines = [
    ...added.map((name) => `  ${paint.green("+")} ${name}`),
    ...changed.map((name) => `  ${paint.yellow("~")} ${name}`),
    ...retired.map((name) => `  ${paint.red("-")} ${name} ${paint.dim("(retired: its runs finish)")}`),
  ];
  if (unchanged.length > 0)
    lines.push(paint.dim(`    ${plural(unchanged.length, "pipeline")} with the same graph`));
  lines.push(
    ...pausedTriggers.map(
      (name) =>
        `  ${paint.yellow("‖")} ${name} ${paint.dim(`(its new trigger is paused: millrace pipelines resume ${name})`)}`,
    ),
  );
  lines.push(...spentScheduleLines(response).map((line) => `  ${paint.yellow("!")} ${line}`));
  const { webhooks } = response;
  if (webhooks) {
    lines.push(
      ...webhooks.added.map(
        (name) => `  ${paint.green("+")} webhook ${name} ${paint.dim(`(/hooks/${name})`)}`,
      ),
      ...webhooks.changed.map((name) => `  ${paint.yellow("~")} webhook ${name}`),
      ...webhooks.retired.map((name) => `  ${paint.red("-")} webhook ${name}`),
    );
  }
  const { assets } = response;
  if (assets) {
    lines.push(
      ...assets.added.map((name) => `  ${paint.green("+")} asset ${name}`),
      ...assets.changed.map((name) => `  ${paint.yellow("~")} asset ${name}`),
      ...assets.retired.map(
        (name) => `  ${paint.red("-")} asset ${name} ${paint.dim("(what was told of it stays)")}`,
      ),
    );
  }
  const { sources } = response;
  if (sources) {
    lines.push(
      ...sources.added.map((name) => `  ${paint.green("+")} source ${name}`),
      ...sources.changed.map((name) => `  ${paint.yellow("~")} source ${name}`),
      ...sources.retired.map((name) => `  ${paint.red("-")} source ${name}`),
    );
  }
  const { eventTypes } = response;
  if (eventTypes) {
    lines.push(
      ...eventTypes.added.map((name) => `  ${paint.green("+")} event type ${name}`),
      ...eventTypes.changed.map((name) => `  ${paint.yellow("~")} event type ${name}`),
      ...eventTypes.retired.map((name) => `  ${paint.red("-")} event type ${name}`),
    );
  }
  const head = response.dryRun
    ? `${paint.bold(response.project)} would become deployment ${response.deployment}; nothing was changed`
    : `${paint.bold(response.project)} is deployed: deployment ${response.deployment}`;
  return [head, ...lines];
}
