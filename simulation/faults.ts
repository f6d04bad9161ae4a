/** What goes wrong, when, by the seed: nodes, workers, the network, the database. */
import type { SeededRandom } from "@millrace/testkit";
import { queues } from "./pipelines.ts";
import type { ServerNode, World } from "./server-node.ts";
import { SimulatedWorker } from "./worker.ts";
import type { WorkerSettings, WorkerWorld } from "./worker-world.ts";

export interface FaultsOptions {
  readonly random: SeededRandom;
  readonly world: World;
  readonly workerWorld: WorkerWorld;
  readonly nodes: readonly ServerNode[];
  readonly workers: SimulatedWorker[];
}

type Fault = (faults: Faults) => void;

export class Faults {
  readonly #options: FaultsOptions;
  /** How wild this seed is: time between two faults. */
  readonly #everyMs: number;
  readonly #workersMin: number;
  #workerNumber = 0;
  #isHealed = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#everyMs = options.random.pick([2_000, 10_000, 40_000, 200_000]);
    this.#workersMin = 1 + options.random.below(4);
  }

  /** Keeps enough workers, one of which serves all queues. */
  addWorkers(): void {
    const { workers } = this.#options;
    while (workers.filter((worker) => !worker.isDead && !worker.isDraining).length < this.#workersMin)
      this.#addOne();
  }

  #addOne(): void {
    const { random } = this.#options;
    this.#addWorker({
      queues: !this.#servesAll || random.chance(0.5) ? queues : [random.pick(queues)],
      slots: 1 + random.below(8),
      prefetch: random.pick([0, 2, 8, 32]),
    });
  }

  get #servesAll(): boolean {
    return this.#options.workers.some(
      (worker) => !worker.isDead && !worker.isDraining && worker.queues.length === queues.length,
    );
  }

  #addWorker(settings: WorkerSettings): void {
    const { workers, workerWorld } = this.#options;
    workers.push(new SimulatedWorker(`w${(this.#workerNumber += 1)}`, settings, workerWorld));
  }

  /** A worker drains, and its successor comes when it has ended, or before. */
  replace(worker: SimulatedWorker, then: () => void): void {
    const isSurge = this.random.chance(0.5);
    if (isSurge) this.#addWorker(worker);
    worker.drain(() => {
      if (!isSurge) this.#addWorker(worker);
      then();
    });
  }

  /** All workers of now are replaced, one after the other. */
  restartWorkers(): void {
    const old = this.#options.workers.filter((worker) => !worker.isDead && !worker.isDraining);
    const next = (): void => {
      const worker = old.shift();
      if (!worker) this.#options.world.journal.count("rolling restart of workers done");
      else if (worker.isDead) next();
      else this.replace(worker, () => this.later(this.random.next() * 2_000, next));
    };
    next();
  }

  start(until: number): void {
    const { random, world, workerWorld } = this.#options;
    world.trouble.lossChance = random.pick([0, 0.001, 0.01]);
    world.trouble.slowChance = random.pick([0, 0.001, 0.02]);
    Object.assign(workerWorld.trouble, {
      breakChance: random.pick([0, 0.001, 0.02]),
      doubleChance: random.pick([0, 0.1]),
      reorderChance: random.pick([0, 0.5]),
    });
    this.#next(until);
  }

  #next(until: number): void {
    const { random, world } = this.#options;
    world.scheduler.after(random.next() * 2 * this.#everyMs, () => {
      if (this.#isHealed || world.scheduler.now > until) return;
      const [name, fault] = random.pick(faults);
      world.journal.count(`fault: ${name}`);
      fault(this);
      this.#next(until);
    });
  }

  node(): ServerNode {
    return this.#options.random.pick(this.#options.nodes);
  }

  restartLater(node: ServerNode): void {
    const { random, world } = this.#options;
    world.scheduler.after(random.next() * random.pick([1_000, 60_000]), () => node.start());
  }

  get random(): SeededRandom {
    return this.#options.random;
  }

  worker(): SimulatedWorker | undefined {
    const living = this.#options.workers.filter((worker) => !worker.isDead);
    return living.length > 0 ? this.random.pick(living) : undefined;
  }

  later(delayMs: number, act: () => void): void {
    this.#options.world.scheduler.after(delayMs, () => {
      if (!this.#isHealed) act();
    });
  }

  setDatabaseDown(isDown: boolean): void {
    this.#options.world.trouble.isDown = isDown;
    this.#options.world.journal.note(isDown ? "the database is down" : "the database is back");
  }

  /** Faults stop; what is needed for work comes back. */
  heal(): void {
    const { world, workerWorld, nodes } = this.#options;
    this.#isHealed = true;
    world.journal.note("faults stop");
    Object.assign(world.trouble, { lossChance: 0, slowChance: 0, isDown: false });
    Object.assign(workerWorld.trouble, { breakChance: 0, doubleChance: 0, reorderChance: 0 });
    for (const node of nodes) {
      node.incarnation?.wake();
      node.start();
    }
    this.addWorkers();
    // Successors that came before the one that they replace drained are more than enough, and may all serve the same queue.
    if (!this.#servesAll) this.#addOne();
  }
}

const faults: readonly (readonly [string, Fault])[] = [
  [
    "node crashed",
    (all) => {
      const node = all.node();
      node.crash();
      all.restartLater(node);
    },
  ],
  [
    "node stopped",
    (all) => {
      const node = all.node();
      node.stop();
      all.later(5_000 + all.random.next() * 30_000, () => node.start());
    },
  ],
  [
    "node frozen",
    (all) => {
      const { incarnation } = all.node();
      if (!incarnation || incarnation.isDead || incarnation.isFrozen) return;
      incarnation.freeze();
      all.later(all.random.next() * all.random.pick([3_000, 40_000]), () => incarnation.wake());
    },
  ],
  [
    "worker killed",
    (all) => {
      all.worker()?.kill();
      all.later(all.random.next() * 20_000, () => all.addWorkers());
    },
  ],
  [
    "worker drained",
    (all) => {
      const worker = all.worker();
      if (worker) all.replace(worker, () => undefined);
    },
  ],
  ["rolling restart of workers", (all) => all.restartWorkers()],
  [
    "worker disconnected",
    (all) => all.worker()?.disconnect(all.random.next() * all.random.pick([2_000, 25_000])),
  ],
  ["worker dropped an attempt", (all) => all.worker()?.drop()],
  [
    "database down",
    (all) => {
      all.setDatabaseDown(true);
      all.later(all.random.next() * all.random.pick([500, 5_000, 30_000]), () => all.setDatabaseDown(false));
    },
  ],
];
