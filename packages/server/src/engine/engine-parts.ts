/** What the engine's modules share: each is given the others here, and owns what its header says. */
import type { Reason, RunMessage, TaskRun } from "@millrace/core";
import type { EventTypeBook } from "@millrace/protocol/event-type-book";
import type { DispatchToken } from "@millrace/protocol";
import type { EngineStore, LiveRun, RunParent, WaitingRun } from "@millrace/store";
import type { Alarms } from "./alarms.ts";
import type { AssetBook } from "./asset-book.ts";
import type { DatabaseClock } from "./clock.ts";
import type { Definitions } from "./definitions.ts";
import type { DistantDispatches } from "./distant-dispatches.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { EventLog } from "./event-log.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { LimitHost } from "./limit-host.ts";
import type { Offers } from "./offers.ts";
import type { ProbeHost } from "./probe/probe-host.ts";
import type { Readiness } from "./readiness.ts";
import type { RunAsks } from "./run-asks.ts";
import type { RunEntry } from "./run-entry.ts";
import type { RunHost } from "./run-host.ts";
import type { EngineLog } from "./engine-options.ts";
import type { Values } from "./values.ts";
import type { WaitHost } from "./wait/wait-host.ts";

export interface EngineParts {
  readonly store: EngineStore;
  readonly nodeId: () => number;
  readonly clock: DatabaseClock;
  readonly random: () => number;
  readonly log: EngineLog;
  readonly definitions: Definitions;
  readonly values: Values;
  readonly assets: AssetBook;
  readonly commit: GroupCommit;
  readonly events: EventLog;
  readonly eventTypes: EventTypeBook;
  readonly asks: RunAsks;
  readonly dispatcher: Dispatcher;
  readonly limits: LimitHost;
  readonly alarms: Alarms;
  readonly runs: RunHost;
  readonly readiness: Readiness;
  readonly offers: Offers;
  readonly distant: DistantDispatches;
  readonly waits: WaitHost;
  readonly probes: ProbeHost;
  /** Slots of a pool by its project's configuration; an operator's number wins over it. */
  readonly poolSlots: (run: LiveRun, pool: string) => number;
  /** A task run (or the run itself) changed; told to those who watch, after the commit. */
  readonly publish: (entry: RunEntry, taskRun: TaskRun | undefined) => void;
  readonly startChild: (entry: RunEntry, taskRun: TaskRun) => void;
  readonly cancelChild: (childRunId: string, reason: Reason, force: boolean) => void;
  /** The worker is connected to another node. */
  readonly revokeDistant: (workerId: string, token: DispatchToken, reason: string) => void;
  readonly tellParent: (parent: RunParent, message: RunMessage) => void;
  readonly onRunEnded: (entry: RunEntry) => void;
  /** A run left memory, as it only waits. */
  readonly onEvicted: (run: WaitingRun) => void;
  readonly isWatched: (runId: string) => boolean;
}
