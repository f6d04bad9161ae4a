/**
 * Servers, workers and PostgreSQL of one test, in a folder of its own.
 *
 * K1: what was started is ended with the stack, and the folder removed, also when the test failed.
 */
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { type EmbeddedServer, startEmbedded } from "@millrace/store";
import { Client } from "pg";
import { expect, onTestFinished } from "vitest";
import { Api } from "./api.ts";
import { Command, type CommandOptions, type Ended } from "./command.ts";
import { guard } from "./guard.ts";
import { type LedgerLine, readLedger } from "./ledger.ts";
import { isAlive, signal } from "./process-tree.ts";
import { until, waits } from "./until.ts";

export const projectFolder = join(import.meta.dirname, "..", "project");

export interface ServerStart extends CommandOptions {
  readonly port?: number;
  readonly token?: string;
}

export interface WorkerStart extends CommandOptions {
  readonly url: string;
  readonly slots?: number;
  readonly memoryMb?: number;
  readonly token?: string;
  readonly queues?: string;
}

export class Stack implements AsyncDisposable {
  readonly folder: string;
  readonly state: string;
  readonly ledgerPath: string;
  readonly commands: Command[] = [];
  readonly #preparations: (() => Promise<unknown>)[] = [];
  readonly #cleanUps: (() => Promise<unknown>)[] = [];
  #postgres: EmbeddedServer | undefined;
  #databaseUrl: string | undefined;
  #ended: Promise<void> | undefined;

  private constructor(folder: string, state: string) {
    this.folder = folder;
    this.state = state;
    this.ledgerPath = join(folder, "ledger.ndjson");
  }

  static async make(options: { readonly state?: string } = {}): Promise<Stack> {
    const folder = await mkdtemp("/tmp/millrace-e2e-");
    // Passable, so that root's PostgreSQL can have its data in it.
    await chmod(folder, 0o755);
    guard.tell("+folder", folder);
    const stack = new Stack(folder, options.state ?? join(folder, "state"));
    // A test that took too long is left where it waits: its stack is ended by this.
    if (expect.getState().currentTestName !== undefined) onTestFinished(() => stack[Symbol.asyncDispose]());
    return stack;
  }

  /** A PostgreSQL of its own, for several servers: `server` uses it from now on. */
  async startPostgres(): Promise<string> {
    this.#postgres = await startEmbedded({ folder: join(this.folder, "postgres") });
    const { host, user, database } = this.#postgres.connection;
    this.#databaseUrl = `postgres://${user}@/${database}?host=${encodeURIComponent(host)}`;
    return this.#databaseUrl;
  }

  /** The same database by another way, such as a proxy. */
  databaseUrlAt(host: string, port: number): string {
    const { user = "", database = "" } = this.#postgres?.connection ?? {};
    return `postgres://${user}@${host}:${port}/${database}`;
  }

  /** The socket of the PostgreSQL that `startPostgres` started. */
  get socketFolder(): string {
    return this.#postgres?.connection.host ?? "";
  }

  command(words: readonly string[], options: CommandOptions = {}): Command {
    const command = new Command(words, {
      folder: this.folder,
      ...options,
      environment: { MILLRACE_STATE: this.state, E2E_LEDGER: this.ledgerPath, ...options.environment },
    });
    this.commands.push(command);
    return command;
  }

  /** Runs a command to its end. */
  async run(words: readonly string[], options: CommandOptions = {}): Promise<Ended> {
    return this.command(words, options).ended;
  }

  /** Starts `millrace server` and waits until it is ready. */
  async server(options: ServerStart = {}): Promise<{ readonly command: Command; readonly api: Api }> {
    const command = this.serverCommand(options);
    const { url } = await command.event("ready");
    const api = new Api(String(url), options.token === undefined ? {} : { token: options.token });
    return { command, api };
  }

  serverCommand(options: ServerStart = {}): Command {
    const { port = 0, token } = options;
    return this.command(["server", "--port", String(port), "--json"], {
      ...options,
      environment: { DATABASE_URL: this.#databaseUrl, MILLRACE_TOKEN: token, ...options.environment },
    });
  }

  /** Starts `millrace worker` and waits until it is connected. */
  async worker(options: WorkerStart): Promise<Command> {
    const command = this.workerCommand(options);
    await command.event("connected");
    return command;
  }

  workerCommand(options: WorkerStart): Command {
    const { url, slots = 4, memoryMb, token, queues } = options;
    const words = ["worker", "--url", url, "--slots", String(slots), "--json"];
    if (memoryMb !== undefined) words.push("--memory", String(memoryMb));
    if (queues !== undefined) words.push("--queues", queues);
    const cache = join(this.folder, `cache-${this.commands.length}`);
    return this.command([...words, "--cache", cache], {
      ...options,
      environment: { MILLRACE_TOKEN: token, ...options.environment },
    });
  }

  /** Deploys a project with `millrace deploy`. */
  async deploy(api: Api, options: { folder?: string; token?: string } = {}): Promise<void> {
    const ended = await this.run(["deploy", options.folder ?? projectFolder], {
      environment: { MILLRACE_URL: api.url, MILLRACE_TOKEN: options.token },
    });
    if (ended.code !== 0) throw new Error(`the deploy failed: ${ended.out}\n${ended.err}`);
  }

  ledger(): LedgerLine[] {
    return readLedger(this.ledgerPath);
  }

  /** The process id of PostgreSQL in the state folder, or of the one that was started for several servers. */
  postgresPid(): number {
    return this.#postgres?.pid() ?? this.#ownPostgresPid();
  }

  /** One statement, on a connection of its own. */
  async query<Row extends object>(text: string): Promise<Row[]> {
    const target = this.#postgres?.connection ?? this.#ownConnection();
    const client = new Client({ ...target, connectionTimeoutMillis: 5_000 });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** What is called when the stack ends, last first. */
  onEnd(cleanUp: () => Promise<unknown>): void {
    this.#cleanUps.push(cleanUp);
  }

  /** What is called before anything is ended. */
  onEnding(prepare: () => Promise<unknown>): void {
    this.#preparations.push(prepare);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  /** What is there, for whoever has to find out why a test failed. */
  async picture(): Promise<string> {
    const parts: string[] = [];
    for (const table of ["node", "run", "task_run", "inbox", "offer", "limit_grant", "limit_request"]) {
      const rows = await this.query(`select * from ${table} limit 8`).catch((error: unknown) => [{ error }]);
      parts.push(`${table}: ${rows.map((row) => JSON.stringify(row)).join("\n  ")}`);
    }
    for (const { pid, isAlive, said } of this.commands)
      parts.push(`process ${pid} ${isAlive ? "lives" : "ended"}: ${said.slice(-1_500)}`);
    return parts.join("\n");
  }

  async #end(): Promise<void> {
    if (waits.late > 0) console.error(await this.picture());
    for (const prepare of this.#preparations) await prepare();
    for (const command of this.commands.toReversed()) await command.destroy();
    for (const cleanUp of this.#cleanUps.toReversed()) await cleanUp();
    await this.#postgres?.stop();
    await this.#endLeftPostgres();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    guard.tell("-folder", this.folder);
  }

  #ownPostgresPid(): number {
    return Number(readFileSync(join(this.state, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
  }

  #ownConnection(): { readonly host: string; readonly user: string; readonly database: string } {
    const lines = readFileSync(join(this.state, "postgres", "postmaster.pid"), "utf8").split("\n");
    return { host: lines[4] ?? "", user: "millrace", database: "postgres" };
  }

  /** A killed server leaves its PostgreSQL behind, for the next one. */
  async #endLeftPostgres(): Promise<void> {
    const file = join(this.state, "postgres", "postmaster.pid");
    if (!existsSync(file)) return;
    const { host } = this.#ownConnection();
    const pid = this.#ownPostgresPid();
    if (isAlive(pid)) signal(pid, "SIGQUIT");
    await until(`the end of PostgreSQL ${pid}`, 20_000, () => !isAlive(pid));
    await rm(host, { recursive: true, force: true });
  }
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, "127.0.0.1", () => resolve());
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    probe.close(() => resolve());
  });
  return port;
}

export const isLong = process.env["MILLRACE_TEST_LONG"] !== undefined;
