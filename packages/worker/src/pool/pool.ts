/**
 * Owns the children: which exist, what each has loaded, who holds which. It gives a child to whoever asks for a bundle,
 * one holder at a time, and keeps some ready for what comes.
 *
 * P1: a child has at most one holder, and runs at most one attempt at a time.
 * P2: a child loads one bundle in its life.
 * P3: at most `slots` + 1 children live, not counting those that were told to end.
 * P4: a child that was killed, is spoiled or heavy, or has run its number of attempts is never given out again.
 */
import type { AttemptError } from "@millrace/core";
import { limits } from "../limits.ts";
import type { WorkerEvent } from "../worker-event.ts";
import type { FromChild, LoadBundle } from "./child-message.ts";
import { Child, type ChildExit, type ChildSettings } from "./child.ts";
import { ChildGuard } from "./guard.ts";

export interface PoolSettings extends ChildSettings {
  readonly slots: number;
  readonly attemptsPerChildMax: number;
  readonly onEvent: (event: WorkerEvent) => void;
}

/** Who asks for a child, and then hears it until it gives it back. */
export interface ChildHolder {
  readonly bundle: { readonly hash: string; readonly load: LoadBundle };
  /** `loaded` is false when the bundle's import is still under way: `loaded` follows as a message. */
  granted(child: PooledChild, loaded: boolean): void;
  message(message: FromChild): void;
  output(stream: "stdout" | "stderr", chunk: Buffer): void;
  exited(exit: ChildExit): void;
  /** No child could be started. */
  refused(error: Error): void;
}

export class PooledChild {
  readonly process: Child;
  phase: "starting" | "idle" | "held" | "settling" | "ending" = "starting";
  bundle: string | undefined;
  loaded = false;
  loadError: AttemptError | undefined;
  holder: ChildHolder | undefined;
  attempts = 0;
  lastUsed = 0;
  mustEnd: string | undefined;
  timer: NodeJS.Timeout | undefined;

  constructor(process: Child) {
    this.process = process;
  }
}

export class ChildPool {
  readonly #settings: PoolSettings;
  readonly #guard = new ChildGuard();
  readonly #children = new Map<Child, PooledChild>();
  readonly #waiting: ChildHolder[] = [];
  #recent: ChildHolder["bundle"] | undefined;
  #uses = 0;
  #startFailures = 0;
  #stopped: (() => void) | undefined;
  #isWarm = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /** Starts children ahead, one after the other, and keeps doing so. */
  keepWarm(): void {
    this.#isWarm = true;
    this.#warm();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Gives a child to `holder`, at once when a fitting one is idle. */
  request(holder: ChildHolder): void {
    this.#recent = holder.bundle;
    this.#waiting.push(holder);
    this.#serve();
  }

  /** Forgets a request that was not granted yet. */
  withdraw(holder: ChildHolder): void {
    const index = this.#waiting.indexOf(holder);
    if (index !== -1) this.#waiting.splice(index, 1);
  }

  /** The holder's attempt has its result. */
  release(child: PooledChild, state: "clean" | "settling" | "spoiled"): void {
    child.holder = undefined;
    if (child.phase !== "held") return;
    if (child.attempts >= this.#settings.attemptsPerChildMax) child.mustEnd ??= "attempts";
    if (state === "spoiled") child.mustEnd ??= "spoiled";
    if (child.mustEnd !== undefined) this.#end(child, child.mustEnd);
    else if (state === "settling") {
      child.phase = "settling";
      child.timer = setTimeout(() => this.#kill(child, "left something running"), limits.settleMs * 2);
    } else child.phase = "idle";
    this.#serve();
  }

  /** Ends a child that its holder does not trust any more; the holder hears `exited`. */
  kill(child: PooledChild, reason: string): void {
    this.#kill(child, reason);
  }

  /** The children that run something, for the check of their memory. */
  held(): PooledChild[] {
    return [...this.#children.values()].filter((child) => child.phase === "held");
  }

  /** Kills all children; resolves when they are gone. */
  async stop(): Promise<void> {
    this.#isWarm = false;
    this.#waiting.length = 0;
    const gone = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    for (const child of this.#children.values()) this.#kill(child, "worker stops");
    if (this.#children.size > 0) await gone;
    this.#guard.stop();
  }

  #serve(): void {
    while (this.#waiting.length > 0 && !this.#stopped) {
      const holder = this.#waiting[0];
      if (!holder) return;
      const child = this.#find(holder.bundle.hash);
      if (!child) return this.#makeRoom();
      this.#waiting.shift();
      this.#grant(child, holder);
    }
    this.#warm();
  }

  #grant(child: PooledChild, holder: ChildHolder): void {
    child.phase = "held";
    child.holder = holder;
    child.attempts += 1;
    child.lastUsed = this.#uses += 1;
    if (child.bundle === undefined) this.#load(child, holder.bundle);
    holder.granted(child, child.loaded);
  }

  #load(child: PooledChild, bundle: ChildHolder["bundle"]): void {
    child.bundle = bundle.hash;
    child.process.send(bundle.load);
    child.timer = setTimeout(() => this.#kill(child, "load timeout"), limits.bundleLoadMs);
  }

  /** The most recently used of the bundle, so that few stay hot; else a blank one. */
  #find(bundle: string): PooledChild | undefined {
    let best: PooledChild | undefined;
    let blank: PooledChild | undefined;
    for (const child of this.#children.values()) {
      if (child.phase !== "idle") continue;
      if (child.bundle === undefined) blank ??= child;
      else if (child.bundle === bundle && (!best || child.lastUsed > best.lastUsed)) best = child;
    }
    return best ?? blank;
  }

  /** Starts as many as wait, in place of idle ones of other bundles when the bound is reached. */
  #makeRoom(): void {
    let starting = this.#count((child) => child.phase === "starting");
    while (starting < this.#waiting.length) {
      if (this.#live() > this.#settings.slots) {
        const oldest = this.#oldestIdle();
        if (!oldest) return;
        this.#end(oldest, "replaced");
      }
      this.#start();
      starting += 1;
    }
  }

  #oldestIdle(): PooledChild | undefined {
    let oldest: PooledChild | undefined;
    for (const child of this.#children.values()) {
      if (child.phase === "idle" && (!oldest || child.lastUsed < oldest.lastUsed)) oldest = child;
    }
    return oldest;
  }

  /** Ahead of need: as many with the bundle in use as there are slots, and a blank one for the next bundle. */
  #warm(): void {
    if (!this.#isWarm || this.#stopped) return;
    this.#loadAhead();
    const starting = this.#count((child) => child.phase === "starting");
    if (starting === 0 && this.#live() <= this.#settings.slots && this.#startFailures === 0) this.#start();
  }

  #loadAhead(): void {
    const recent = this.#recent;
    if (!recent) return;
    const blanks = [...this.#children.values()].filter((child) => child.phase === "idle" && !child.bundle);
    const having = this.#count((child) => child.bundle === recent.hash && child.phase !== "ending");
    const blank = blanks[0];
    if (!blank || having >= this.#settings.slots) return;
    // One blank is kept for the next bundle, unless an attempt's own child is all there is.
    if (blanks.length < 2 && this.#live() > this.#settings.slots) return;
    blank.phase = "starting";
    this.#load(blank, recent);
  }

  #start(): void {
    const process = new Child(this.#settings, {
      message: (child, message) => this.#message(child, message),
      output: (child, stream, chunk) => this.#children.get(child)?.holder?.output(stream, chunk),
      exited: (child, exit) => this.#exited(child, exit),
    });
    const child = new PooledChild(process);
    this.#children.set(process, child);
    if (process.pid === 0) return;
    child.timer = setTimeout(() => this.#kill(child, "start timeout"), limits.childStartMs);
    this.#guard.add(process.pid);
    this.#settings.onEvent({ kind: "child_started", pid: process.pid });
  }

  #message(process: Child, message: FromChild): void {
    const child = this.#children.get(process);
    if (!child) return;
    switch (message.kind) {
      case "ready":
        this.#startFailures = 0;
        this.#idle(child);
        return;
      case "loaded":
        this.#loaded(child, message);
        return;
      case "settled":
        if (child.phase === "settling" && message.clean) this.#idle(child);
        else if (!message.clean) this.#retire(child, "left something running");
        return;
      case "heavy":
        this.#retire(child, `resident memory of ${message.residentMb} MiB`);
        return;
      default:
        child.holder?.message(message);
    }
  }

  #loaded(child: PooledChild, message: Extract<FromChild, { kind: "loaded" }>): void {
    clearTimeout(child.timer);
    child.loaded = true;
    if (message.error) {
      child.mustEnd = "the bundle could not be loaded";
      this.#forget(child);
    }
    if (child.holder) child.holder.message(message);
    else if (message.error) this.#end(child, "the bundle could not be loaded");
    else this.#idle(child);
  }

  /** A bundle that breaks its process is not loaded ahead, until someone asks for it again. */
  #forget(child: PooledChild): void {
    if (child.bundle !== undefined && this.#recent?.hash === child.bundle) this.#recent = undefined;
  }

  #idle(child: PooledChild): void {
    clearTimeout(child.timer);
    if (child.phase === "ending") return;
    child.phase = "idle";
    this.#serve();
  }

  #retire(child: PooledChild, reason: string): void {
    if (child.phase === "held") child.mustEnd ??= reason;
    else this.#end(child, reason);
  }

  #end(child: PooledChild, reason: string): void {
    if (child.phase === "ending") return;
    clearTimeout(child.timer);
    child.phase = "ending";
    child.mustEnd = reason;
    child.process.end();
    this.#warm();
  }

  #kill(child: PooledChild, reason: string): void {
    clearTimeout(child.timer);
    child.mustEnd = reason;
    child.phase = "ending";
    child.process.kill();
  }

  #exited(process: Child, exit: ChildExit): void {
    const child = this.#children.get(process);
    if (!child) return;
    this.#children.delete(process);
    clearTimeout(child.timer);
    if (process.pid > 0) this.#guard.remove(process.pid);
    const reason = child.mustEnd ?? exit.signal ?? `code ${exit.code}`;
    if (process.pid > 0) this.#settings.onEvent({ kind: "child_ended", pid: process.pid, reason });
    if (!child.loaded) this.#forget(child);
    const holder = child.holder;
    child.holder = undefined;
    holder?.exited(exit);
    if (child.phase === "starting" && child.bundle === undefined) this.#startFailed(exit);
    if (this.#stopped) {
      if (this.#children.size === 0) this.#stopped();
      return;
    }
    this.#serve();
  }

  #startFailed(exit: ChildExit): void {
    this.#startFailures += 1;
    const message =
      exit.startError?.message ?? `a child ended at its start with ${exit.signal ?? `code ${exit.code}`}`;
    this.#settings.onEvent({ kind: "child_start_failed", message });
    if (this.#startFailures % limits.childStartFailuresMax !== 0) return;
    // The next request tries again; nothing is started ahead until one came up.
    const refused = this.#waiting.splice(0);
    for (const holder of refused) holder.refused(new Error(message, { cause: exit.startError }));
  }

  #live(): number {
    return this.#count((child) => child.phase !== "ending");
  }

  #count(which: (child: PooledChild) => boolean): number {
    let count = 0;
    for (const child of this.#children.values()) if (which(child)) count += 1;
    return count;
  }
}
