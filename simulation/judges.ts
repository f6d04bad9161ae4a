/** All that judge one simulation, and in which order they see a commit and the end. */
import type { FlushBatch } from "@millrace/store";
import type { MemoryTables } from "@millrace/testkit";
import { ApprovalChecker } from "./approval-checker.ts";
import { AssetChecker } from "./asset-checker.ts";
import type { DefinitionsBook } from "./definitions-book.ts";
import { EventChecker } from "./event-checker.ts";
import { checkEnd } from "./final-checker.ts";
import { FlushChecker } from "./flush-checker.ts";
import { GenerationChecker } from "./generation-checker.ts";
import type { Journal } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { WaitTimeChecker } from "./wait-time-checker.ts";
import { MoveChecker } from "./move-checker.ts";
import { ProbeChecker } from "./probe-checker.ts";
import { StepLedger } from "./step-ledger.ts";
import { TriggerChecker } from "./trigger-checker.ts";
import { WaitChecker } from "./wait-checker.ts";

export interface JudgesOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
  readonly blobs: ReadonlyMap<string, string>;
  readonly now: () => number;
}

export class Judges {
  readonly generations: GenerationChecker;
  readonly ledger: Ledger;
  readonly flushes: FlushChecker;
  readonly events: EventChecker;
  readonly triggers: TriggerChecker;
  readonly waits: WaitChecker;
  readonly assets: AssetChecker;
  readonly steps: StepLedger;
  readonly waitTimes: WaitTimeChecker;
  readonly approvals: ApprovalChecker;
  readonly probes: ProbeChecker;
  readonly moves: MoveChecker;
  readonly #options: JudgesOptions;

  constructor(options: JudgesOptions) {
    const { tables, journal, book, blobs, now } = options;
    this.#options = options;
    this.probes = new ProbeChecker({ tables, journal, now });
    this.generations = new GenerationChecker({ tables, journal, book });
    const { generations, probes } = this;
    this.ledger = new Ledger({ tables, journal, generations, probes });
    const { ledger } = this;
    this.flushes = new FlushChecker({ tables, journal, book, ledger, generations });
    this.events = new EventChecker(tables, journal);
    this.triggers = new TriggerChecker({
      tables,
      journal,
      blobs,
      limitOf: (pipeline) => book.activeRunsMax(pipeline),
    });
    this.waits = new WaitChecker({ tables, journal, book, blobs });
    this.assets = new AssetChecker(tables, journal);
    this.steps = new StepLedger(tables, journal);
    this.waitTimes = new WaitTimeChecker(tables, journal);
    this.moves = new MoveChecker({ tables, journal, book, generations });
    this.approvals = new ApprovalChecker({ tables, journal, book, generations, blobs });
  }

  onFlush(nodeId: number, number: number, batch: FlushBatch): void {
    this.moves.onFlush(nodeId, batch);
    this.flushes.onFlush(nodeId, number, batch);
    this.events.onFlush(nodeId, batch);
    this.triggers.onFlush(nodeId, batch);
    this.waits.onFlush(batch);
    this.assets.onFlush(batch);
    this.steps.onFlush(batch);
    this.waitTimes.onFlush(batch);
    this.approvals.onFlush(batch);
    this.probes.onFlush(nodeId, batch);
  }

  /** `accepted`: runs whose making was answered. */
  checkEnd(accepted: ReadonlySet<string>): void {
    const { tables, journal, book, blobs } = this.#options;
    this.events.checkEnd();
    this.triggers.checkEnd();
    this.waits.checkEnd();
    this.assets.checkEnd();
    this.approvals.checkEnd();
    this.probes.checkEnd();
    const { ledger, flushes, generations } = this;
    checkEnd({ tables, journal, book, generations, ledger, flushes, blobs, accepted });
    this.generations.checkEnd();
  }
}
