/**
 * The engine of this process, and the next one when it loses its lease.
 *
 * S1: there is one engine at most; after one was fenced the next registers as a new node, as soon as the database
 *     answers.
 * S2: work that was under way in an engine that was fenced is refused with MILLRACE_LEASE_LOST: whether it was
 *     committed is not known.
 */
import { MillraceError } from "@millrace/core";
import { isConnectionLoss, saysDiskFull } from "@millrace/store";
import { Engine } from "./engine/engine.ts";
import type { Alarm } from "./engine/clock.ts";
import type { EngineOptions } from "./engine/engine-options.ts";

export interface EngineHostOptions extends Omit<EngineOptions, "onFenced"> {
  /** Called with each engine before it starts. */
  readonly prepare: (engine: Engine) => Promise<void>;
}

const restartMsMin = 100;
const restartMsMax = 2_000;

export class EngineHost {
  readonly #options: EngineHostOptions;
  #engine: Engine | undefined;
  #stopping = false;
  /** Why the next engine could not start yet. */
  #trouble: unknown;
  #restarting: Promise<void> | undefined;
  #delay: { readonly alarm: Alarm; readonly wake: () => void } | undefined;
  readonly #underWay = new Set<(error: Error) => void>();

  constructor(options: EngineHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#engine = await this.#startEngine();
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** The engine, for reading what it holds; none while a new one starts. */
  get running(): Engine | undefined {
    return this.#engine;
  }

  /** Throws MILLRACE_LEASE_LOST (stopping) or MILLRACE_DATABASE_UNREACHABLE. */
  get engine(): Engine {
    // Not MILLRACE_OVERLOADED: a request may ask for the engine again after it has changed something.
    if (this.#stopping)
      throw new MillraceError("MILLRACE_LEASE_LOST", {
        message: "The server is stopping; what was asked for may or may not have been recorded.",
      });
    if (!this.#engine || this.#engine.info.state === "database_lost")
      throw databaseTrouble(this.#engine ? this.#engine.storeTrouble : this.#trouble);
    return this.#engine;
  }

  /** Work that waits for a commit. */
  async run<Answer>(work: (engine: Engine) => Promise<Answer>): Promise<Answer> {
    const { engine } = this;
    return new Promise<Answer>((resolve, reject) => {
      this.#underWay.add(reject);
      work(engine)
        .then(resolve, reject)
        .finally(() => this.#underWay.delete(reject));
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#delay?.alarm.cancel();
    this.#delay?.wake();
    await this.#restarting;
    await this.#stopEngine();
    this.#engine = undefined;
    this.#refuse();
  }

  async #stopEngine(): Promise<void> {
    try {
      await this.#engine?.stop();
    } catch (error) {
      this.#engine?.abandon();
      const message = "the server could not hand over: its runs go on when its lease has ended";
      this.#options.log.warn({ err: error }, message);
    }
  }

  async #startEngine(): Promise<Engine> {
    const engine: Engine = new Engine({ ...this.#options, onFenced: () => this.#onFenced(engine) });
    try {
      await this.#options.prepare(engine);
      await engine.start();
    } catch (error) {
      engine.abandon();
      throw error;
    }
    return engine;
  }

  #onFenced(engine: Engine): void {
    if (this.#engine !== engine) return;
    this.#engine = undefined;
    this.#refuse();
    if (!this.#stopping) this.#restarting = this.#restart();
  }

  #refuse(): void {
    const error = new MillraceError("MILLRACE_LEASE_LOST", {
      message: "The server lost its lease while it worked on this; it may or may not have been recorded.",
    });
    for (const reject of this.#underWay) reject(error);
    this.#underWay.clear();
  }

  async #restart(): Promise<void> {
    for (let delayMs = restartMsMin; !this.#stopping; delayMs = Math.min(delayMs * 2, restartMsMax)) {
      try {
        this.#engine = await this.#startEngine();
        this.#options.log.info({ node: this.#engine.info.nodeId }, "the server goes on as a new node");
        return;
      } catch (error) {
        this.#trouble = error;
        this.#options.log.warn({ err: error }, "the server can't start again yet");
      }
      await this.#wait(delayMs);
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#delay = { alarm: this.#options.clock.after(delayMs, resolve), wake: resolve };
    });
  }
}

/** `trouble`: what the database said last to a flush; a database that answers may still refuse to write. */
function databaseTrouble(trouble: unknown): MillraceError {
  // Without space PostgreSQL ends connections, too: that it is full is what has to be told.
  const isAway = !(trouble instanceof Error) || (isConnectionLoss(trouble) && !saysDiskFull(trouble.message));
  if (isAway)
    return new MillraceError("MILLRACE_DATABASE_UNREACHABLE", {
      message: "The server lost its database and goes on when it answers again.",
    });
  return new MillraceError("MILLRACE_DATABASE_UNREACHABLE", {
    message: `The database answers, but takes no change (${trouble.message}); the server goes on when it does again.`,
    advice: "Mend what the message names: free space where PostgreSQL keeps its data, when it is that.",
    cause: trouble,
  });
}
