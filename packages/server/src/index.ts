export { activeRunHolder, Admission, activeRunsKey } from "./engine/admission.ts";
export { Arrivals } from "./engine/arrivals.ts";
export { type Alarm, type Clock, DatabaseClock, systemClock } from "./engine/clock.ts";
export { type ActivePipeline, Definitions, type DefinitionSource } from "./engine/definitions.ts";
export {
  type ConnectedWorker,
  Dispatcher,
  type ReadyTask,
  type WorkerInfo,
  type WorkerLink,
} from "./engine/dispatcher.ts";
export { EventLog } from "./engine/event-log.ts";
export { Engine } from "./engine/engine.ts";
export { RunEntrance, type StartedRun, type StartRun } from "./engine/run-entrance.ts";
export { type EngineLog, type EngineOptions } from "./engine/engine-options.ts";
export { newestRows } from "./engine/generation-rows.ts";
export { Generations, type RerunWish, type RunArchive } from "./engine/generations.ts";
export { GroupCommit } from "./engine/group-commit.ts";
export { LimitHost, limitShard } from "./engine/limit-host.ts";
export { Membership } from "./engine/membership.ts";
export { ProbeHost } from "./engine/probe/probe-host.ts";
export { Readiness } from "./engine/readiness.ts";
export { type RunEntry } from "./engine/run-entry.ts";
export { RunHost } from "./engine/run-host.ts";
export { RunMoves } from "./engine/run-moves.ts";
export { TriggerEvaluator } from "./engine/trigger/evaluator.ts";
export { loadTrigger } from "./engine/trigger/loaded-trigger.ts";
export { matchKeysOf } from "./engine/wait/match-keys.ts";
export { ShapeSweep } from "./engine/wait/shape-sweep.ts";
export { WaitShapes } from "./engine/wait/wait-shapes.ts";
export { triggerShard } from "./engine/trigger/trigger-shard.ts";
export { RecentEntries } from "./engine/wait/recent-entries.ts";
export { ToldWait } from "./engine/wait/told-wait.ts";
export { WorkerHub } from "./engine/worker-hub.ts";
export { type ProjectSource } from "./http/project-routes.ts";
export { boundProcessMemory } from "./process-memory.ts";
export { type Server, type ServerOptions, startServer } from "./server.ts";
