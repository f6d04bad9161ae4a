/** A folder, and a host of sources in memory that a reader of it is given. */
import { mkdtempSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  fileArrivedType,
  type Finding,
  type Json,
  type FileSource,
  type Remembered,
  type SourceDetail,
  type SourceTask,
} from "@millrace/core";
import { expect, onTestFinished } from "vitest";
import { filesConnector, nodeDirectory, type Directory } from "../../src/files/index.ts";

/** As the server keeps it: what is remembered outlives readers. */
export class Host {
  readonly memory = new Map<string, Remembered>();
  readonly told: { readonly type: string; readonly subject: string | undefined; readonly data: Json }[] = [];
  detail: SourceDetail | undefined;
  /** How often a reader said that it can read. */
  begun = 0;
  /** Findings that were given at once, the most. */
  findingsMax = 0;
  /** Called before findings are taken. */
  beforeRecord: () => Promise<void> = () => Promise.resolve();

  /** `file version` of all that was told, in the order of names. */
  arrivals(): string[] {
    return this.#subjects(fileArrivedType).toSorted();
  }

  #subjects(type: string): string[] {
    return this.told
      .filter((event) => event.type === type)
      .map(({ subject, data }) => `${subject} ${(data as { version: number }).version}`);
  }

  gone(): string[] {
    return this.#subjects("file.gone").toSorted();
  }

  task(definition: FileSource, root: string, signal: AbortSignal): SourceTask {
    return {
      definition,
      root,
      signal,
      reported: this.detail,
      clock: {
        now: () => Date.now(),
        after: (delayMs, callback) => {
          const timer = setTimeout(callback, delayMs);
          return { cancel: () => clearTimeout(timer) };
        },
      },
      recall: async (keys) =>
        new Map(keys.flatMap((key) => (this.memory.has(key) ? [[key, this.memory.get(key)!]] : []))),
      recallPage: async (after, limit) =>
        [...this.memory]
          .map(([key, remembered]) => ({ key, ...remembered }))
          .filter(({ key }) => key > after)
          .toSorted((a, b) => (a.key < b.key ? -1 : 1))
          .slice(0, limit),
      countRemembered: async () => this.memory.size,
      record: (findings) => this.#record(findings),
      begun: () => {
        this.begun += 1;
      },
      report: (detail) => {
        this.detail = detail;
      },
    };
  }

  async #record(findings: readonly Finding[]): Promise<void> {
    await this.beforeRecord();
    this.findingsMax = Math.max(this.findingsMax, findings.length);
    expect(new Set(findings.map(({ key }) => key)).size, "one finding of each file").toBe(findings.length);
    for (const { key, remember, event } of findings) {
      if (remember) this.memory.set(key, remember);
      else this.memory.delete(key);
      if (event) this.told.push({ type: event.type, subject: event.subject, data: event.data });
    }
  }
}

export class Stage {
  readonly root = mkdtempSync(join(tmpdir(), "millrace-files-"));
  readonly host = new Host();
  readonly definition: FileSource;
  readonly #directory: Directory;
  #reading: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;

  constructor(parts: Partial<FileSource> = {}, directory: Partial<Directory> = {}) {
    this.definition = {
      kind: "files",
      name: "landing",
      folder: "in",
      glob: "**/*.csv",
      ignore: [],
      protocol: "settle",
      ...((parts.protocol ?? "settle") === "settle" ? { quietMs: 50 } : {}),
      type: fileArrivedType,
      // Far beyond a test: what is found in time was told by the system.
      rescanMs: 600_000,
      ...parts,
    };
    this.#directory = { ...nodeDirectory, ...directory };
    mkdirSync(join(this.root, "in"));
    onTestFinished(async () => {
      await this.stop();
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  /** Begins to read; resolves when the whole folder was looked through. */
  async start(definition: Partial<FileSource> = {}): Promise<void> {
    const before = this.host.detail?.scan?.at ?? 0;
    this.begin(definition);
    await this.until(() => expect(this.host.detail?.scan?.at ?? 0).toBeGreaterThan(before));
  }

  begin(definition: Partial<FileSource> = {}): void {
    const stop = new AbortController();
    const task = this.host.task({ ...this.definition, ...definition }, this.root, stop.signal);
    const ended = filesConnector(this.#directory)
      .read(task)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    this.#reading = { stop, ended };
  }

  async stop(): Promise<void> {
    this.#reading?.stop.abort();
    const error = await this.#reading?.ended;
    this.#reading = undefined;
    if (error !== undefined) throw error;
  }

  /** What the reader ended with. */
  async failure(): Promise<unknown> {
    const error = await this.#reading?.ended;
    this.#reading = undefined;
    return error;
  }

  path(file: string): string {
    return join(this.root, "in", file);
  }

  write(file: string, text = file): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  touch(file: string, seconds: number): void {
    utimesSync(this.path(file), seconds, seconds);
  }

  async until(look: () => void): Promise<void> {
    await expect.poll(() => attempt(look), { interval: 10 }).toBe("");
  }
}

function attempt(look: () => void): string {
  try {
    look();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
