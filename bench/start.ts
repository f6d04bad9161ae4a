import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Bench } from "./parts/result.ts";
import { durabilityOf, query, version, type Durability } from "./parts/stack.ts";
import { median, round as rounded, summarize } from "./parts/statistics.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const command = join(repository, "packages/millrace/bin/millrace.js");

export const start: Bench = {
  name: "start",
  measures:
    "the command `millrace dev --json` from its spawn to its `ready` event: `firstMedian` in a new state folder, `median` in one that is there",
  doesNotMeasure: [
    "a cold file cache: the programs were read before",
    "a large project: this one has one file of pipelines",
    "the published package, which is one bundled file",
  ],
  run: async ({ short }) => {
    const rounds = short ? 2 : 7;
    const firsts: number[] = [];
    const laters: number[] = [];
    let server: ServerFacts | undefined;
    for (let round = 0; round < rounds; round += 1) {
      const folder = await makeProject();
      try {
        firsts.push(
          await startOnce(folder, async () => {
            server ??= await factsOf(folder);
          }),
        );
        for (let again = 0; again < 2; again += 1) laters.push(await startOnce(folder));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    if (!server) throw new Error("no round read what the server says of itself");
    return {
      bench: "start",
      unit: "ms",
      ...summarize(laters),
      firstMedian: rounded(median(firsts)),
      durability: server.durability,
      isolation: "none: no task runs",
      versions: { node: process.versions.node, postgres: server.postgres, millrace: version },
    };
  },
};

/** A project as `init` makes one, which finds the packages of this repository. */
async function makeProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  // Passable for the user that runs PostgreSQL in root's place: else its data would outlive this folder elsewhere.
  await chmod(folder, 0o711);
  await cp(fileURLToPath(new URL("./project", import.meta.url)), folder, { recursive: true });
  await mkdir(join(folder, "node_modules"));
  await symlink(join(repository, "packages/millrace"), join(folder, "node_modules/millrace"));
  return folder;
}

interface ServerFacts {
  readonly durability: Durability;
  readonly postgres: string;
}

/** Read from the server that `dev` started, by the socket that its own file names. */
async function factsOf(folder: string): Promise<ServerFacts> {
  const file = await readFile(join(folder, ".millrace/postgres/postmaster.pid"), "utf8");
  const connection = { host: file.split("\n")[4] ?? "", user: "millrace", database: "postgres" };
  const [row] = await query<{ postgres: string }>(
    connection,
    `select current_setting('server_version') as "postgres"`,
  );
  return { durability: await durabilityOf(connection), postgres: row!.postgres };
}

/** `whileUp` runs after the measured time, before the server is stopped. */
async function startOnce(folder: string, whileUp?: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, [command, "dev", "--json", "--port", "0"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let took: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!isReady(line)) continue;
    took = performance.now() - begun;
    break;
  }
  try {
    if (took !== undefined) await whileUp?.();
  } finally {
    child.kill("SIGINT");
    await exited;
  }
  if (took === undefined) throw new Error("`millrace dev --json` ended before it was ready");
  return took;
}

function isReady(line: string): boolean {
  try {
    const event = JSON.parse(line) as { readonly kind?: string; readonly event?: string };
    return event.kind === "ready" || event.event === "ready";
  } catch {
    return false;
  }
}
