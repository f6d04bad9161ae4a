/** A `millrace` command as a process of its own. It is ended by its id, whatever becomes of the test. */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { guard } from "./guard.ts";
import { signal, treeOf } from "./process-tree.ts";
import { until, within } from "./until.ts";

const millrace = join(import.meta.dirname, "..", "..", "packages", "millrace", "bin", "millrace.js");

export interface CommandOptions {
  readonly folder?: string;
  readonly environment?: { readonly [name: string]: string | undefined };
  /** Starts it as this user: root's tests of what others may not do. */
  readonly uid?: number;
}

/** One line of a command that was started with `--json`. */
export interface CommandEvent {
  readonly event: string;
  readonly [name: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

const startMs = 40_000;

export class Command {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  #out = "";
  #err = "";

  constructor(words: readonly string[], options: CommandOptions = {}) {
    this.#process = spawn(process.execPath, [millrace, ...words], {
      cwd: options.folder ?? "/",
      env: { ...inherited(), NO_COLOR: "1", ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.pid = this.#process.pid ?? 0;
    if (this.pid !== 0) {
      guard.tell("+pid", this.pid);
      this.#process.once("exit", () => guard.tell("-pid", this.pid));
    }
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
    });
    this.ended = new Promise((resolve) => {
      this.#process.once("close", (code, name) => {
        resolve({ code, signal: name, out: this.#out, err: this.#err });
      });
    });
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** All that it said, for messages of failed tests. */
  get said(): string {
    return `${this.#out}\n${this.#err}`;
  }

  /** The events that it printed so far. */
  get events(): readonly CommandEvent[] {
    return this.#out.split("\n").flatMap((line) => {
      if (!line.startsWith("{") || !line.endsWith("}")) return [];
      return [JSON.parse(line) as CommandEvent];
    });
  }

  /** Waits for an event; throws when the process ends without it. */
  async event(name: string, ms = startMs): Promise<CommandEvent> {
    const find = (): CommandEvent | undefined => this.events.find(({ event }) => event === name);
    await until(`event ${name} of ${this.pid}`, ms, () => find() !== undefined || !this.isAlive);
    const found = find();
    if (!found) throw new Error(`the process ended without event ${name}: ${this.said}`);
    return found;
  }

  signal(name: NodeJS.Signals): void {
    signal(this.pid, name);
  }

  /** SIGKILL, to this process alone, and waits for its end. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await within(`the end of ${this.pid}`, 10_000, this.#exited());
  }

  /** SIGTERM, and waits for its end. */
  async stop(ms = 15_000): Promise<Ended> {
    this.signal("SIGTERM");
    return within(() => `the end of ${this.pid} after SIGTERM\n${this.said}`, ms, this.ended);
  }

  /** Whatever it is doing: ends it and all below it. */
  async destroy(): Promise<void> {
    const pids = this.isAlive ? treeOf(this.pid) : [];
    for (const pid of pids) signal(pid, "SIGCONT");
    for (const pid of pids) signal(pid, "SIGKILL");
    await this.#exited();
  }

  #exited(): Promise<void> {
    if (!this.isAlive) return Promise.resolve();
    return new Promise((resolve) => {
      this.#process.once("exit", () => resolve());
    });
  }
}

/** Nothing of the developer's own set-up reaches the tests. */
function inherited(): NodeJS.ProcessEnv {
  const names = ["PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
