/** What simulated workers are given, and what they tell servers by. */
import type { NodeDefinition } from "@millrace/core";
import type { AttemptOutcome, DispatchToken } from "@millrace/protocol";
import type { ConnectedWorker, WorkerLink } from "@millrace/server";
import type { SeededRandom } from "@millrace/testkit";
import type { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Outside } from "./outside.ts";
import type { Parts } from "./parts.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";
import type { StepLedger } from "./step-ledger.ts";

export interface NetworkTrouble {
  /** Chance that a frame makes its connection break. */
  breakChance: number;
  doubleChance: number;
  reorderChance: number;
}

export interface WorkerWorld {
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly steps: StepLedger;
  readonly parts: Parts;
  readonly outside: Outside;
  readonly trouble: NetworkTrouble;
  readonly nodes: readonly ServerNode[];
  nodeOf(bundle: string, pipeline: string, node: string): NodeDefinition;
  putBlob(text: string): Promise<string>;
}

export interface WorkerSettings {
  readonly queues: readonly string[];
  readonly slots: number;
  readonly prefetch: number;
}

/** What is not acknowledged yet. */
export interface Ended {
  readonly token: DispatchToken;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
}

export interface Connection {
  readonly server: ServerNode;
  readonly life: NonNullable<ServerNode["incarnation"]>;
  isOpen: boolean;
  connected: ConnectedWorker | undefined;
  link: WorkerLink;
  /** When the last frame in each direction arrives: a connection keeps the order. */
  upAt: number;
  downAt: number;
  isWelcome: boolean;
}
