import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import type { ServerMessage, Welcome } from "@millrace/protocol";
import { Attempts } from "./attempt/attempts.ts";
import { BlobCache } from "./blob/blob-cache.ts";
import { BundleCache } from "./bundle/bundle-cache.ts";
import { Link, type LinkOwner } from "./link/link.ts";
import { readOptions, type WorkerOptions, type WorkerSettings } from "./options.ts";
import { ChildPool } from "./pool/pool.ts";
import { overweight } from "./pool/resident-memory.ts";
import { Transfer } from "./transfer.ts";

/** A worker that was started. */
export interface Worker {
  /** Kept over reconnects. */
  readonly id: string;
  readonly name: string;
  /** Attempts that run now. */
  readonly active: number;
  /** Resolves with the first welcome of the server. */
  readonly connected: Promise<void>;
  /** Resolves when the worker has stopped, whatever the reason: `stop`, `drain`, or a server that refuses it. */
  readonly closed: Promise<void>;
  /** Kills what runs and leaves. May be called twice. */
  stop(): Promise<void>;
  /** Takes nothing new, and stops when what it runs has ended and is acknowledged. */
  drain(): Promise<void>;
}

/**
 * Starts a worker: it connects to the server, and goes on trying when that is not there. It resolves when its folders are
 * ready, before it is connected.
 *
 * @throws MillraceError `MILLRACE_REQUEST_INVALID` when an option is wrong, `MILLRACE_STATE_FOLDER` when the cache folder can't be used.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const settings = readOptions(options);
  const id = randomUUID();
  const scratch = await prepareFolders(settings, id);
  const worker = new RunningWorker(settings, id, scratch);
  await worker.open();
  return worker;
}

class RunningWorker implements Worker, LinkOwner {
  readonly id: string;
  readonly name: string;
  readonly connected: Promise<void>;
  readonly closed: Promise<void>;
  readonly #settings: WorkerSettings;
  readonly #scratch: string;
  readonly #stopping = new AbortController();
  readonly #pool: ChildPool;
  readonly #blobs: BlobCache;
  readonly #attempts: Attempts;
  readonly #link: Link;
  #markConnected: () => void = () => {};
  #markClosed: () => void = () => {};
  #stopped: Promise<void> | undefined;
  isDraining = false;

  constructor(settings: WorkerSettings, id: string, scratch: string) {
    this.id = id;
    this.name = settings.name;
    this.#settings = settings;
    this.#scratch = scratch;
    this.connected = new Promise((resolve) => {
      this.#markConnected = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    this.#pool = new ChildPool({
      folder: scratch,
      workFolder: settings.workFolder,
      memoryMb: settings.childMemoryMb,
      environment: settings.environment,
      compileCacheFolder: join(settings.cacheFolder, "compiled"),
      slots: settings.slots,
      attemptsPerChildMax: settings.attemptsPerChildMax,
      onEvent: settings.onEvent,
    });
    const transfer = new Transfer(settings, this.#stopping.signal);
    this.#blobs = new BlobCache(join(scratch, "blobs"), transfer);
    const bundles = new BundleCache(join(settings.cacheFolder, "bundles"), transfer, settings.workFolder);
    this.#link = new Link(settings, id, this);
    this.#attempts = new Attempts(
      { settings, pool: this.#pool, bundles, blobs: this.#blobs, transfer },
      this.#link,
      () => {
        void this.#killOverweight();
      },
    );
  }

  async open(): Promise<void> {
    await this.#blobs.open();
    this.#link.connect();
  }

  get active(): number {
    return this.#attempts.active;
  }

  running(): ReturnType<Attempts["tokens"]> {
    return this.#attempts.tokens();
  }

  welcomed(welcome: Welcome): void {
    this.#attempts.revoke(welcome.revoked);
    this.#attempts.resend();
    if (this.isDraining) this.#link.send({ kind: "draining" });
    this.#pool.keepWarm();
    this.#markConnected();
  }

  message(message: Exclude<ServerMessage, Welcome>): void {
    switch (message.kind) {
      case "dispatches":
        for (const dispatch of message.dispatches) this.#attempts.accept(dispatch);
        return;
      case "cancel":
        this.#attempts.cancel(message.token, message.reason, message.graceMs);
        return;
      case "ack":
        this.#attempts.acknowledge(message.tokens);
        return;
      case "recorded":
        this.#attempts.recorded(message.token, message.steps);
        return;
      case "rehearse":
        this.#attempts.rehearse(message);
        return;
      case "goodbye":
        return;
    }
  }

  leaseLost(): void {
    const attempts = this.#attempts.abandonAll();
    this.#settings.onEvent({ kind: "lease_lost", attempts });
  }

  refused(): void {
    void this.stop();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async drain(): Promise<void> {
    if (!this.isDraining) {
      this.isDraining = true;
      if (this.#link.isOpen) this.#link.send({ kind: "draining" });
    }
    await Promise.race([this.#attempts.idle(), this.closed]);
    await this.stop();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#link.stop();
    this.#attempts.stop();
    await this.#pool.stop();
    await rm(this.#scratch, { recursive: true, force: true, maxRetries: 3 });
    this.#markClosed();
  }

  /** The heap's bound says nothing of native memory. */
  async #killOverweight(): Promise<void> {
    const bytesMax = this.#settings.childMemoryMb * 1024 * 1024;
    for (const child of await overweight(this.#pool.held(), bytesMax)) child.process.killForMemory();
  }
}

/** A folder per worker for what its children write; those of workers that are gone are removed. */
async function prepareFolders(settings: WorkerSettings, id: string): Promise<string> {
  const all = join(settings.cacheFolder, "workers");
  const own = join(all, `${process.pid}-${id}`);
  try {
    await mkdir(own, { recursive: true, mode: 0o700 });
    await mkdir(join(settings.cacheFolder, "bundles"), { recursive: true });
    for (const name of await readdir(all)) {
      if (!isAlive(Number(name.split("-")[0]))) await rm(join(all, name), { recursive: true, force: true });
    }
    return own;
  } catch (cause) {
    throw new MillraceError("MILLRACE_STATE_FOLDER", {
      message: `The worker can't use its cache folder ${settings.cacheFolder}: ${(cause as Error).message}`,
      cause,
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
