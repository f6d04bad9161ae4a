/** `millrace dev` in this project, with a state of its own that goes with it: a server on PostgreSQL, and a worker. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { demoFolderPrefix, sweepLeftovers } from "./leftover.ts";

const project = join(import.meta.dirname, "..");
const command = join(project, "..", "..", "packages", "millrace", "bin", "millrace.js");

export class DemoServer {
  readonly #dev: ChildProcess;
  readonly #folder: string;
  readonly #said: string[] = [];
  /** What whoever asks for reports has to show. */
  readonly #reportsToken = randomBytes(16).toString("hex");
  readonly #signal: AbortSignal;
  #url = "";

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
    const args = [command, "dev", "--json", "--port", "0", "--state", join(folder, "state")];
    this.#dev = spawn(process.execPath, args, {
      cwd: project,
      env: { ...process.env, REPORTS_TOKEN: this.#reportsToken },
      // By the channel it learns that the demo is gone, however that ended, and stops.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Ctrl-C goes to the demo alone, which stops it by `stop`.
      detached: true,
    });
    this.#dev.stderr!.on("data", (text: Buffer) => this.#said.push(text.toString()));
  }

  /** Resolves when it is ready; stops all when that is not to be, or `signal` aborts first. */
  static async start(signal: AbortSignal): Promise<DemoServer> {
    await sweepLeftovers(tmpdir(), Date.now());
    const folder = await mkdtemp(join(tmpdir(), demoFolderPrefix(process.pid)));
    // Passable for the user that runs PostgreSQL in root's place.
    await chmod(folder, 0o711);
    const server = new DemoServer(folder, signal);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get url(): string {
    return this.#url;
  }

  async #ready(): Promise<void> {
    const signal = this.#signal;
    const lines = createInterface({ input: this.#dev.stdout!, signal });
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      lines.on("line", (line) => {
        const { event, url } = JSON.parse(line) as { readonly event: string; readonly url?: string };
        if (event === "ready" && url !== undefined) {
          this.#url = url;
          resolve();
        } else if (event === "broken" || event === "problem") this.#said.push(`${line}\n`);
      });
      this.#dev.once("exit", () => {
        reject(new Error(`\`millrace dev\` ended before it was ready:\n${this.#said.join("")}`));
      });
    });
  }

  async get<Answer>(path: string): Promise<Answer> {
    return this.#fetch(`/api/v1${path}`);
  }

  async post<Answer>(path: string, body: object, type = "application/json"): Promise<Answer> {
    const headers = { "content-type": type };
    return this.#fetch(`/api/v1${path}`, { method: "POST", body: JSON.stringify(body), headers });
  }

  /** Delivers to a webhook, as another system would. */
  async deliver<Answer>(hook: string, body: object): Promise<Answer> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.#reportsToken}` };
    return this.#fetch(`/hooks/${hook}`, { method: "POST", body: JSON.stringify(body), headers });
  }

  /** What the command prints. */
  async millrace(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, MILLRACE_URL: this.#url, NO_COLOR: "1" };
      const options = { cwd: project, env, signal: this.#signal };
      execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) => {
        if (error) reject(new Error(`millrace ${args.join(" ")}: ${stderr || error.message}`));
        else resolve(stdout.trimEnd());
      });
    });
  }

  async #fetch<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, { ...init, signal: this.#signal }).catch(
      (cause: unknown) => {
        if (this.#signal.aborted) throw cause;
        throw new Error(`the server does not answer.\n${this.#said.join("")}`, { cause });
      },
    );
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  }

  /** Stops all, and takes its state away. */
  async stop(): Promise<void> {
    if (this.#dev.exitCode === null && this.#dev.signalCode === null) {
      const exit = once(this.#dev, "exit");
      this.#dev.kill("SIGTERM");
      await exit;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
