/**
 * The database of a benchmark, in the hands of a process of its own: PostgreSQL outlives whoever started it, so when a benchmark is
 * killed, somebody has to be left who ends it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startEmbedded, type EmbeddedConnection, type EmbeddedServer } from "@millrace/store";
import { answerParent } from "./child.ts";

export interface DatabaseStarted {
  readonly connection: EmbeddedConnection;
  readonly version: string;
  readonly pid: number;
}

let starting:
  | { readonly folder: string; readonly keep: boolean; readonly server: Promise<EmbeddedServer> }
  | undefined;

answerParent(
  async (question): Promise<DatabaseStarted> => {
    const folder = String(question["folder"]);
    const keep = question["keep"] === true || process.env["BENCH_KEEP"] !== undefined;
    starting = { folder, keep, server: startEmbedded({ folder: join(folder, "state") }) };
    const server = await starting.server;
    return { connection: server.connection, version: server.version, pid: server.pid() };
  },
  async () => {
    if (!starting) return;
    // What is under way ends first: half of a start would go on.
    const server = await starting.server.catch(() => undefined);
    await server?.stop();
    if (!starting.keep) await rm(starting.folder, { recursive: true, force: true });
  },
);
