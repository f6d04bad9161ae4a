/** One simulation: a seed, some virtual hours of load and faults, then calm, then the verdict. */
import { createHash } from "node:crypto";
import { MemoryEngineDatabase, seededRandom, type SeededRandom } from "@millrace/testkit";
import { parseCondition, probeId, probesWithin, type Json } from "@millrace/core";
import type { DeployedProbes, EngineStore } from "@millrace/store";
import { withApprovals } from "./approvals.ts";
import { Approver } from "./approver.ts";
import { Client } from "./client.ts";
import { EventClient } from "./event-client.ts";
import { DefinitionsBook } from "./definitions-book.ts";
import { Faults } from "./faults.ts";
import { Judges } from "./judges.ts";
import { Journal, type Violation } from "./journal.ts";
import { Operator } from "./operator.ts";
import { makePipelines } from "./pipelines.ts";
import { Mover } from "./mover.ts";
import { deployedProbes, Outside, withProbes } from "./outside.ts";
import { partRandom, partsOf, type Parts } from "./parts.ts";
import { epochMs, Scheduler } from "./scheduler.ts";
import { ServerNode, type World } from "./server-node.ts";
import { TriggerClient } from "./trigger-client.ts";
import { listening, makeTriggeredPipelines, triggeredNames } from "./triggers.ts";
import { SimulatedWorker } from "./worker.ts";
import type { WorkerWorld } from "./worker-world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Virtual hours of load and faults. */
  readonly hours: number;
  /** Absent: those of its seed. */
  readonly parts?: Parts;
  /** A faulty store for a mutant. */
  readonly wrapStore?: (store: EngineStore, database: MemoryEngineDatabase) => EngineStore;
  /** The journal keeps only lines with this word. */
  readonly trace?: string;
  /** Ends at the first violation instead of at the end. */
  readonly stopsEarly?: boolean;
}

export interface SimulationReport {
  readonly seed: number;
  readonly hours: number;
  readonly nodes: number;
  readonly workers: number;
  readonly parts: readonly string[];
  readonly events: number;
  readonly counts: { readonly [name: string]: number };
  readonly violations: readonly Violation[];
  readonly fingerprint: string;
  readonly journal: Journal;
}

const hourMs = 3_600_000;
/** Once faults have stopped something ends within this time, again and again, until nothing is left. */
const stallMsMax = hourMs / 2;
/**
 * And all of it within this: where one run never ends, the ticks of schedules would go on for ever. What few workers leave queued
 * grows with the hours of load.
 */
const calmMsMax = (hours: number): number => Math.max(12, 30 * hours) * hourMs;

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const random = seededRandom(options.seed);
  const parts = options.parts ?? partsOf(options.seed);
  const scheduler = new Scheduler();
  const journal = new Journal(() => scheduler.now, options.trace);
  const pipelines = [...makePipelines(random.fork(), 10), ...makeTriggeredPipelines(parts)];
  const book = new DefinitionsBook(pipelines, (pipeline) => {
    const asking = parts.has("approvals") ? withApprovals(pipeline) : pipeline;
    return parts.has("probes") ? withProbes(asking) : asking;
  });
  const blobs = new Map<string, string>();
  // The judges are made of the database's tables, and the database calls them.
  const judging: { judges?: Judges } = {};
  const database = new MemoryEngineDatabase({
    now: () => epochMs + Math.floor(scheduler.now * 1000) / 1000,
    onFlush: (nodeId, number, batch) => judging.judges!.onFlush(nodeId, number, batch),
    onMessage: () => judging.judges!.flushes.noteInbox(),
  });
  const { tables } = database;
  const judges = new Judges({ tables, journal, book, blobs, now: () => scheduler.now });
  judging.judges = judges;
  const { generations } = judges;
  const listened = (): readonly Json[] => clients.triggers?.conditionsOf(listening) ?? [];
  const clients: { triggers?: TriggerClient } = {};
  const deployed = (): DeployedProbes => ({ probes: deployedProbes, conditions: listened() });
  judges.probes.isAsked = (id) =>
    listened().some((condition) =>
      probesWithin(parseCondition(condition)).some((probe) => probeId(probe) === id),
    );
  const world: World = {
    scheduler,
    journal,
    random: random.fork(),
    database,
    blobs: blobStore(blobs),
    definitions: book.source(),
    probes: parts.has("probes") ? async () => deployed() : undefined,
    trouble: { lossChance: 0, slowChance: 0, slowMsMax: 12_000, isDown: false },
    wrapStore: (store) => options.wrapStore?.(store, database) ?? store,
    onEngineError: (fields, message) => {
      if (!message.includes("lost its lease"))
        journal.violate("C12 the engine does not break", `${message} ${errorText(fields)}`);
    },
  };
  const nodes = Array.from({ length: 1 + random.below(3) }, (_, at) => new ServerNode(`node${at}`, world));
  const workers: SimulatedWorker[] = [];
  const workerWorld: WorkerWorld = {
    scheduler,
    journal,
    random: random.fork(),
    ledger: judges.ledger,
    steps: judges.steps,
    parts,
    outside: new Outside(options.seed, () => scheduler.now),
    trouble: { breakChance: 0, doubleChance: 0, reorderChance: 0 },
    nodes,
    nodeOf: (bundle, pipeline, node) => book.node(bundle, pipeline, node),
    putBlob: async (text) => world.blobs.put(text),
  };
  for (const node of nodes) {
    node.onGone = () => {
      for (const worker of workers) worker.serverGone(node);
    };
    node.start();
  }
  const faults = new Faults({ random: random.fork(), world, workerWorld, nodes, workers });
  faults.addWorkers();
  const client = new Client({
    random: random.fork(),
    scheduler,
    journal,
    nodes,
    book,
    tables,
    checker: judges.flushes,
    generations,
  });
  const operator = new Operator({
    random: random.fork(),
    scheduler,
    journal,
    nodes,
    book,
    tables,
    generations,
  });
  const endOfFaults = options.hours * hourMs;
  client.start(endOfFaults);
  const events = new EventClient({
    random: random.fork(),
    scheduler,
    journal,
    nodes,
    checker: judges.events,
  });
  events.start(endOfFaults);
  operator.start(endOfFaults);
  const triggers = new TriggerClient({
    random: random.fork(),
    scheduler,
    journal,
    nodes,
    tables,
    events: judges.events,
    checker: judges.triggers,
    names: triggeredNames(parts),
    times: parts.has("windows") ? partRandom(options.seed, "windows") : undefined,
  });
  clients.triggers = triggers;
  triggers.start(endOfFaults);
  if (parts.has("approvals"))
    new Approver({
      random: partRandom(options.seed, "approvals"),
      scheduler,
      journal,
      nodes,
      tables,
      checker: judges.approvals,
    }).start(endOfFaults);
  if (parts.has("moves"))
    new Mover({
      random: partRandom(options.seed, "moves"),
      scheduler,
      journal,
      nodes,
      book,
      tables,
      checker: judges.moves,
    }).start(endOfFaults);
  faults.start(endOfFaults);
  const isDecided = (): boolean => options.stopsEarly === true && journal.violations.length > 0;
  await scheduler.run(endOfFaults, isDecided);
  faults.heal();
  const isCalm = (): boolean => {
    events.listen();
    return (
      client.isIdle &&
      triggers.isIdle &&
      isEmpty(database) &&
      judges.events.isHeard &&
      judges.triggers.isSettled &&
      judges.probes.isAtRest
    );
  };
  const endOfCalm = endOfFaults + calmMsMax(options.hours);
  for (
    let before = -1;
    !isDecided() && !isCalm() && judges.flushes.endings > before && scheduler.now < endOfCalm;
  ) {
    before = judges.flushes.endings;
    await scheduler.run(scheduler.now + stallMsMax, () => isDecided() || isCalm());
  }
  journal.count("seconds to calm", Math.round((scheduler.now - endOfFaults) / 1_000));
  judges.checkEnd(client.accepted);
  return {
    seed: options.seed,
    hours: options.hours,
    nodes: nodes.length,
    workers: workers.length,
    parts: [...parts],
    events: scheduler.events,
    counts: Object.fromEntries([...journal.counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    violations: journal.violations,
    fingerprint: journal.fingerprint,
    journal,
  };
}

function isEmpty({ tables }: MemoryEngineDatabase): boolean {
  const { runs, grants, requests, inbox, offers } = tables;
  return (
    [...runs.values()].every((run) => run.state === "quarantined") &&
    grants.size + requests.size + inbox.size + offers.size === 0
  );
}

function blobStore(blobs: Map<string, string>): World["blobs"] {
  return {
    put: async (content) => {
      const text = typeof content === "string" ? content : Buffer.from(content).toString("utf8");
      const hash = createHash("sha256").update(text).digest("hex");
      blobs.set(hash, text);
      return hash;
    },
    get: async (hash) => {
      const text = blobs.get(hash);
      return text === undefined ? undefined : Buffer.from(text);
    },
  };
}

function errorText(fields: object): string {
  const { err } = fields as { err?: unknown };
  return err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(fields);
}

export type { SeededRandom };
