/** What the routes are given. */
import type { SettingView } from "@millrace/protocol";
import type { BlobStore, Database } from "@millrace/store";
import type { Activity } from "./activity.ts";
import type { Clock } from "../engine/clock.ts";
import type { EngineLog } from "../engine/engine-options.ts";
import type { EngineHost } from "../engine-host.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { LiveRelay } from "./live-relay.ts";
import type { LogSink } from "./log-sink.ts";
import type { ParamsCheck } from "./params-check.ts";
import type { Changes } from "./preconditions.ts";
import type { ProjectSource } from "./project-routes.ts";
import type { WebhookBook } from "./webhook/webhook-book.ts";

export interface ApiContext {
  /** Names this process among all servers there ever were. */
  readonly processId: string;
  readonly version: string;
  readonly embedded: boolean;
  readonly databaseVersion: string;
  /** As they are in effect. */
  readonly settings: readonly SettingView[];
  /** How long history, logs and artifacts are kept. */
  readonly retentionDays: number;
  /** Of one address. */
  readonly requestsPerSecond: number;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly host: EngineHost;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly logs: LogSink;
  readonly progress: LiveProgress;
  readonly live: LiveRelay;
  readonly activity: Activity;
  readonly params: ParamsCheck;
  readonly webhooks: WebhookBook;
  readonly changes: Changes;
  /** Absent: nobody follows a project's files here. */
  readonly project?: ProjectSource;
  /** This server's view of definitions is read again; others are told by the database. */
  definitionsChanged(): Promise<void>;
}
