/** The command line as a user meets it: a process, in a project folder of its own. */
import assert from "node:assert";
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const packages = fileURLToPath(new URL("../..", import.meta.url));
const commandFile = join(packages, "millrace", "bin", "millrace.js");

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An empty folder with `millrace` installed by a link. It goes with the test. */
export function emptyProject(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "millrace-cli-")));
  // Passable for the user that runs PostgreSQL in root's place: else its data would outlive this folder elsewhere.
  chmodSync(root, 0o711);
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(packages, "millrace"), join(root, "node_modules", "millrace"));
  return root;
}

/** A project with these files, paths as keys. */
export function projectWith(files: { readonly [path: string]: string }): string {
  const root = emptyProject();
  const all = {
    "package.json": '{ "type": "module" }',
    "millrace.config.ts": 'export default { project: "shop", include: ["pipelines/*.ts"] };\n',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Runs a command to its end. */
export async function millrace(root: string, ...args: readonly string[]): Promise<Finished> {
  const child = start(root, args);
  const output = collect(child);
  const exitCode = await exitOf(child);
  return { exitCode, ...output() };
}

/** How the overview of commands ends when nobody reads it (`pipe`), or in a file. */
export async function endOf(
  root: string,
  stdout: "pipe" | number,
): Promise<{ readonly exitCode: number | null; readonly signal: string | null; readonly stderr: string }> {
  const child = spawn(process.execPath, [commandFile, "--help"], {
    cwd: root,
    stdio: ["ignore", stdout, "pipe"],
  });
  child.stdout?.destroy();
  const output = collect(child);
  const exitCode = await exitOf(child);
  return { exitCode, signal: child.signalCode, stderr: output().stderr };
}

/** At a terminal of its own: each answer is given once something new was asked. */
export async function atTerminal(
  root: string,
  args: readonly string[],
  answers: readonly string[],
): Promise<{ readonly exitCode: number | null; readonly screen: string }> {
  const child = startAtTerminal(root, args);
  const left = [...answers];
  let screen = "";
  let answeredAt = 0;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    const asked = screen.lastIndexOf("? (");
    if (asked < answeredAt || !/\) [^ ]*$/.test(screen)) return;
    const answer = left.shift();
    if (answer === undefined) return;
    answeredAt = screen.length;
    child.stdin?.write(answer.startsWith("\x03") ? answer : `${answer}\r`);
  });
  const exitCode = await exitOf(child);
  return { exitCode, screen };
}

/** A command at a terminal of its own that goes on until Ctrl-C. */
export function spawnAtTerminal(
  root: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): { said(pattern: RegExp): Promise<string>; end(): Promise<void> } {
  const child = startAtTerminal(root, args, environment);
  let screen = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
  });
  const end = async (): Promise<void> => {
    child.stdin?.write("\x03");
    await exitOf(child);
  };
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    end,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(screen);
          if (found) resolve(found[1] ?? found[0]);
        };
        child.stdout?.on("data", look);
        void exitOf(child).then(() => reject(new Error(`it never said ${pattern}: ${screen}`)));
        look();
      }),
  };
}

/** By `script`, which makes the terminal. */
function startAtTerminal(
  root: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): ChildProcess {
  const words = [process.execPath, commandFile, ...args];
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
  return spawn("script", ["-qec", quoted.join(" "), "/dev/null"], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", TERM: "xterm", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

export interface Spawned {
  readonly pid: number;
  readonly ended: Promise<number | null>;
  stderr(): string;
  said(pattern: RegExp): Promise<string>;
}

/**
 * A command whose output is looked at while it goes on. It ends with the test. `ownGroup`: its processes can be
 * signalled together, as a terminal does.
 */
export function spawnMillrace(
  root: string,
  args: readonly string[],
  options: { readonly ownGroup?: boolean } = {},
): Spawned {
  const child = start(root, args, options);
  const output = collect(child);
  const ended = exitOf(child);
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    pid: child.pid ?? assert.fail("it was not started"),
    ended,
    stderr: () => output().stderr,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output().stdout + output().stderr);
          if (found) resolve(found[1] ?? found[0]);
        };
        child.stdout?.on("data", look);
        child.stderr?.on("data", look);
        void ended.then(() => reject(new Error(`it never said ${pattern}: ${JSON.stringify(output())}`)));
        look();
      }),
  };
}

/** `millrace dev` on a free port, until the test ends. */
export class Dev {
  readonly child: ChildProcess;
  readonly events: { readonly event: string; readonly [key: string]: unknown }[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = "";

  constructor(
    root: string,
    options: { readonly args?: readonly string[]; readonly environment?: NodeJS.ProcessEnv } = {},
  ) {
    this.child = start(root, ["dev", "--port", "0", "--json", ...(options.args ?? [])], options);
    let rest = "";
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("{")) this.events.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.child.once("exit", () => {
      for (const look of this.#waiting) look();
    });
    onTestFinished(() => this.stop().then(() => undefined));
  }

  /** The next event of this kind after the first `skip` of them. */
  async event(name: string, skip = 0): Promise<{ readonly [key: string]: unknown }> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.events.filter(({ event }) => event === name)[skip];
        const isGone = this.child.exitCode !== null || this.child.signalCode !== null;
        if (!found && !isGone) return;
        this.#waiting.delete(look);
        if (found) resolve(found);
        else reject(new Error(`dev ended before "${name}": ${this.#errors}${JSON.stringify(this.events)}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return exitOf(this.child);
  }
}

function start(
  root: string,
  args: readonly string[],
  options: { readonly ownGroup?: boolean; readonly environment?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const { ownGroup = false } = options;
  const {
    DATABASE_URL: _database,
    MILLRACE_URL: _url,
    MILLRACE_STATE: _state,
    MILLRACE_TOKEN: _token,
    ...environment
  } = process.env;
  return spawn(process.execPath, [commandFile, ...args], {
    cwd: root,
    env: { ...environment, ...options.environment, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: ownGroup,
  });
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return () => ({ stdout, stderr });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => {
    child.once("close", (exitCode) => resolve(exitCode));
  });
}
