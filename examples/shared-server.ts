/** One server and worker for many examples: `millrace dev` in the first, and `millrace deploy` for the others. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const command = join(import.meta.dirname, "..", "packages", "millrace", "bin", "millrace.js");

/** What the command left behind. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `run --json` prints, as far as the tests look at it. */
export interface RunDocument {
  readonly run: { readonly state: string; readonly output?: unknown };
  readonly nodes: readonly {
    readonly id: string;
    readonly item: string;
    readonly state: string;
    readonly output?: unknown;
    readonly attempts: readonly { readonly state: string }[];
  }[];
}

export class SharedServer {
  readonly #dev: ChildProcess;
  readonly #folder: string;
  readonly url: string;

  private constructor(dev: ChildProcess, folder: string, url: string) {
    this.#dev = dev;
    this.#folder = folder;
    this.url = url;
  }

  /** Starts in the example `first`, with these variables besides, and resolves when it is ready. */
  static async start(first: string, variables: NodeJS.ProcessEnv = {}): Promise<SharedServer> {
    const folder = await mkdtemp(join(tmpdir(), "millrace-examples-"));
    // Passable for the user that runs PostgreSQL in root's place: else its data would outlive this folder elsewhere.
    await chmod(folder, 0o711);
    const args = [command, "dev", "--json", "--port", "0", "--state", join(folder, "state")];
    const cwd = join(import.meta.dirname, first);
    const dev = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said: string[] = [];
    dev.stderr.on("data", (text: Buffer) => said.push(text.toString()));
    for await (const line of createInterface({ input: dev.stdout })) {
      said.push(line);
      const event = JSON.parse(line) as { readonly event: string; readonly url?: string };
      if (event.event === "ready" && event.url !== undefined) return new SharedServer(dev, folder, event.url);
    }
    throw new Error(`\`millrace dev\` ended before it was ready:\n${said.join("\n")}`);
  }

  /** Runs the command in the folder of an example. */
  async millrace(example: string, args: readonly string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const options = { cwd: join(import.meta.dirname, example), maxBuffer: 16 * 1024 * 1024 };
      execFile(process.execPath, [command, ...args, "--url", this.url], options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#dev.exitCode === null && this.#dev.signalCode === null) {
      this.#dev.kill("SIGTERM");
      await once(this.#dev, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
