import { MillraceError, nearestName } from "@millrace/core";
import type { Command } from "commander";
import type { ApiClient } from "../api/client.ts";
import { projectHere, projectsOf, requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, readInteger, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatTable, plural } from "../terminal/format.ts";
import { describeDeployment } from "./deploy.ts";

interface RollbackOptions extends ServerOptions {
  readonly project?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

const deploymentsShown = 20;

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(
    command.argument("[deployment]", "its number (default: the one before the active one)", readDeployment),
  )
    .option("--project <name>", "of this project (default: the one of this folder)")
    .option("--list", "list the deployments, and change nothing")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace rollback", "to the one before"],
        ["millrace rollback --list", "which there are"],
        ["millrace rollback 7", "to number 7"],
      ),
    )
    .action(
      finish((number: number | undefined, options: RollbackOptions) => rollBack(context, number, options)),
    );
}

function readDeployment(text: string): number {
  return readInteger(text, 1, Number.MAX_SAFE_INTEGER);
}

async function rollBack(
  context: Context,
  deployment: number | undefined,
  options: RollbackOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const project = options.project ?? (await projectOf(context, client));
  await requireProject(client, project);
  if (options.list) return list(context, client, project, options);
  const response = await client.post("/deployments/rollback", {
    project,
    ...(deployment === undefined ? {} : { deployment }),
  });
  if (options.json) terminal.print(JSON.stringify({ deployment: response }));
  else for (const line of describeDeployment(response, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

async function list(
  { terminal }: Context,
  client: ApiClient,
  project: string,
  options: RollbackOptions,
): Promise<number> {
  const deployments = await client.list("/deployments", { project }, deploymentsShown);
  if (options.json) {
    terminal.print(JSON.stringify({ deployments }));
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const now = new Date();
  const rows = deployments.map((one) => [
    one.active ? paint.green("● active") : "",
    String(one.deployment),
    paint.dim(formatAgo(new Date(one.createdAt), now)),
    paint.dim(one.bundle.slice(0, 12)),
    paint.dim(plural(one.pipelines.length, "pipeline")),
  ]);
  for (const line of formatTable(rows, { align: ["left", "right"], width: terminal.lineWidth() }))
    terminal.print(line);
  return exitCodes.succeeded;
}

/** Throws MILLRACE_REQUEST_INVALID with the nearest name. */
async function requireProject(client: ApiClient, project: string): Promise<void> {
  const deployments = await client.list("/deployments", { project }, 1);
  if (deployments.length > 0) return;
  const projects = await projectsOf(client);
  const near = nearestName(project, projects);
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The server has no project "${project}".`,
    advice: near === undefined ? listProjects(projects) : `Did you mean \`${near}\`?`,
  });
}

/** This folder's project, else the only one that the server knows. */
async function projectOf(context: Context, client: ApiClient): Promise<string> {
  const here = await projectHere(context);
  if (here !== undefined) return here;
  const projects = await projectsOf(client);
  const [only] = projects;
  if (only !== undefined && projects.length === 1) return only;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The server has ${plural(projects.length, "project")}.`,
    advice: `Say which with \`--project NAME\`. ${listProjects(projects)}`,
  });
}

function listProjects(projects: readonly string[]): string {
  return projects.length === 0 ? "It has none: deploy one first." : `It has: ${projects.join(", ")}.`;
}
