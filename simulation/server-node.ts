/**
 * One server process: an engine, its clock, its session with the database; it crashes, freezes, stops, starts again.
 *
 * O1: nothing happens in a process that is dead; what happens to a frozen one happens when it wakes.
 */
import { memoryArchive, MemoryEngineDatabase, type MemoryLink, type SeededRandom } from "@millrace/testkit";
import { Engine, type Clock, type DefinitionSource, type EngineLog, type RunArchive } from "@millrace/server";
import { simulatedAssets } from "./assets.ts";
import type { Journal } from "./journal.ts";
import { pools } from "./pipelines.ts";
import type { Scheduler } from "./scheduler.ts";
import type { BlobStore, DeployedProbes, EngineStore } from "@millrace/store";

export interface StoreTrouble {
  /** Chance that a statement is lost on its way, or its answer. */
  lossChance: number;
  /** Chance that a statement or its answer takes up to `slowMsMax`. */
  slowChance: number;
  readonly slowMsMax: number;
  /** The database answers nobody. */
  isDown: boolean;
}

export interface World {
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly random: SeededRandom;
  readonly database: MemoryEngineDatabase;
  readonly blobs: Pick<BlobStore, "put" | "get">;
  readonly definitions: DefinitionSource;
  /** Absent: nobody looks at anything. */
  readonly probes: (() => Promise<DeployedProbes>) | undefined;
  readonly trouble: StoreTrouble;
  /** Wraps an engine's store: where mutants sit. */
  readonly wrapStore: (store: EngineStore) => EngineStore;
  /** Has happened: the engine's log at level error. */
  readonly onEngineError: (fields: object, message: string) => void;
}

/** One life of a process. */
export class Incarnation {
  isDead = false;
  #frozen: (() => void)[] | undefined;

  /** Runs now, when the process wakes, or never. */
  deliver(work: () => void): void {
    if (this.isDead) return;
    if (this.#frozen) this.#frozen.push(work);
    else work();
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  freeze(): void {
    this.#frozen ??= [];
  }

  /** What piled up comes at once, in its order. */
  wake(): void {
    const piled = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const work of piled) this.deliver(work);
  }
}

export class ServerNode {
  readonly name: string;
  readonly #world: World;
  readonly #random: SeededRandom;
  #isStopping = false;
  #startsAgain = false;
  incarnation: Incarnation | undefined;
  engine: Engine | undefined;
  /** Called when this process is gone or its engine ended: connections are closed. */
  onGone: () => void = () => {};

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.#random = world.random.fork();
  }

  get isReady(): boolean {
    return (
      this.engine !== undefined &&
      this.incarnation !== undefined &&
      !this.incarnation.isDead &&
      !this.incarnation.isFrozen &&
      this.engine.info.state === "ready"
    );
  }

  /** Starts again what is dead; what is stopping starts when it has stopped. */
  start(): void {
    this.#startsAgain = this.#isStopping;
    if (this.incarnation && !this.incarnation.isDead) return;
    const life = new Incarnation();
    this.incarnation = life;
    this.#startEngine(life);
  }

  #startEngine(life: Incarnation): void {
    if (life.isDead) return;
    const { database, definitions, probes, journal, scheduler, wrapStore } = this.#world;
    const link = this.#link(life);
    const engine: Engine = new Engine({
      store: wrapStore(database.connect(link)),
      blobs: this.#blobs(life),
      definitions,
      ...(probes ? { probes } : {}),
      archive: this.#archive(link),
      clock: this.#clock(life),
      random: () => this.#random.next(),
      log: this.#log(),
      name: this.name,
      url: undefined,
      version: "simulated",
      activeRunsMax: 60,
      shapeSweepMs: 2_000,
      triggerBounds: { keysMax: 4, dueHorizonMs: 15_000, dueKeysMax: 3 },
      onFenced: () => {
        journal.count("fault: node lost its lease");
        journal.note(`${this.name} lost its lease`);
        this.onGone();
        scheduler.after(500, () => life.deliver(() => this.#startEngine(life)));
      },
    });
    this.engine = engine;
    engine.setConfiguredPools(pools);
    engine.assets.replace(simulatedAssets);
    engine.start().then(
      () => journal.note(`${this.name} is ready as node ${engine.info.nodeId}`),
      (error: unknown) => {
        journal.note(`${this.name} could not start: ${String(error)}`);
        engine.abandon();
        if (this.engine === engine) scheduler.after(1_000, () => life.deliver(() => this.#startEngine(life)));
      },
    );
  }

  /** As kill −9. */
  crash(): void {
    const life = this.incarnation;
    if (!life || life.isDead) return;
    life.isDead = true;
    this.#isStopping = false;
    this.#world.journal.note(`${this.name} crashes`);
    this.engine?.abandon();
    this.engine = undefined;
    this.onGone();
  }

  /** Hands over and ends. */
  stop(): void {
    const { engine, incarnation: life } = this;
    if (!engine || !life || life.isDead || life.isFrozen) return;
    this.#world.journal.note(`${this.name} stops`);
    this.onGone();
    this.#isStopping = true;
    const end = (): void => {
      if (life.isDead) return;
      life.isDead = true;
      this.#isStopping = false;
      if (this.engine === engine) this.engine = undefined;
      this.#world.journal.note(`${this.name} stopped`);
      if (this.#startsAgain) this.start();
    };
    engine.stop().then(end, (error: unknown) => {
      this.#world.journal.note(`${this.name} could not hand over: ${String(error)}`);
      engine.abandon();
      end();
    });
  }

  #clock(life: Incarnation): Clock {
    const { scheduler } = this.#world;
    const rate = 0.98 + this.#random.next() * 0.04;
    const offset = (this.#random.next() - 0.5) * 600_000;
    return {
      monotonic: () => offset + scheduler.now * rate,
      after: (delayMs, callback) => {
        // A timer that is cancelled never rings, also when it was due while its process was frozen.
        let isCancelled = false;
        const ring = (): void => {
          if (!isCancelled) callback();
        };
        const alarm = scheduler.after(Math.max(0, delayMs) / rate, () => life.deliver(ring));
        return {
          cancel: () => {
            isCancelled = true;
            alarm.cancel();
          },
        };
      },
    };
  }

  #link(life: Incarnation): MemoryLink {
    const { journal, scheduler, trouble } = this.#world;
    const random = this.#random;
    const travel = async (direction: string, statement: string): Promise<void> => {
      if (life.isDead) return new Promise(() => {});
      const isSlow = random.chance(trouble.slowChance);
      if (isSlow) journal.count(`fault: slow ${direction}`);
      await scheduler.sleep(isSlow ? random.next() * trouble.slowMsMax : 0.1 + random.next());
      if (!trouble.isDown && !random.chance(trouble.lossChance)) return;
      journal.count(`fault: lost ${direction}`);
      journal.note(`${this.name} ${statement}: ${direction} lost`);
      // A lost connection is noticed at once or after a while.
      await scheduler.sleep(random.next() * (random.chance(0.2) ? 5_000 : 20));
      await awake(life);
      throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
    };
    return {
      request: (statement) => travel("request", statement),
      answer: async (statement) => {
        await travel("answer", statement);
        await awake(life);
      },
      notify: (deliver) =>
        void scheduler.after(random.next() * (random.chance(0.1) ? 3_000 : 2), () => life.deliver(deliver)),
    };
  }

  /** A flush is often faster than a blob. */
  #blobs(life: Incarnation): World["blobs"] {
    const { blobs, scheduler } = this.#world;
    const random = this.#random;
    const travel = async (): Promise<void> => {
      await scheduler.sleep(random.chance(0.1) ? random.next() * 3_000 : 1 + random.next() * 20);
      await awake(life);
    };
    return {
      put: async (content) => {
        await travel();
        return blobs.put(content);
      },
      get: async (hash) => {
        await travel();
        return blobs.get(hash);
      },
    };
  }

  /** History is read over the same connection as everything else. */
  #archive(link: MemoryLink): RunArchive {
    const over = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
      await link.request?.("loadRun");
      const answer = await ask();
      await link.answer?.("loadRun");
      return answer;
    };
    const archive = memoryArchive(this.#world.database.tables);
    return {
      findRun: (id) => over(() => archive.findRun(id)),
      findRunRows: (id) => over(() => archive.findRunRows(id)),
      findOutputs: (id, names) => over(() => archive.findOutputs(id, names)),
      endQuarantined: (id, end) => over(() => archive.endQuarantined(id, end)),
    };
  }

  #log(): EngineLog {
    const { journal, onEngineError } = this.#world;
    const write = (level: string, fields: object, message: string): void => {
      const { err } = fields as { err?: unknown };
      journal.count(`log: ${message}`);
      journal.note(
        `${this.name} ${level}: ${message} ${err instanceof Error ? err.message : JSON.stringify(fields)}`,
      );
    };
    return {
      info: (fields, message) => write("info", fields, message),
      warn: (fields, message) => write("warn", fields, message),
      error: (fields, message) => {
        write("error", fields, message);
        onEngineError(fields, message);
      },
    };
  }
}

/** Resolves while the process is awake; never once it is dead. */
function awake(life: Incarnation): Promise<void> {
  return new Promise((resolve) => life.deliver(resolve));
}
