/**
 * The sources of this node's shards: starts, stops and replaces their readers as deploys, operators and take-overs ask for.
 *
 * U1: a source is read by the node that holds its shard and by no other: its reader begins after the claim, and what it finds
 *     after the release is not taken.
 * U2: what was deployed with a source is in the log before its first event: a trigger that is as new as the source misses no file.
 * U3: one pass over what is deployed is under way at most; what changes meanwhile makes one more.
 */
import { canonicalJson, MillraceError, type SourceConnector, type SourceDefinition } from "@millrace/core";
import type { Clock } from "../clock.ts";
import type { EngineParts } from "../engine-parts.ts";
import { sourceRoomMs } from "../limits.ts";
import { shardOfName } from "../shard-of-name.ts";
import type { Outbox } from "../trigger/outbox.ts";
import { workspaceId } from "../workspace.ts";
import { SourceRun } from "./source-run.ts";

export interface HostedSource {
  readonly definition: SourceDefinition;
  readonly paused: boolean;
}

/** What a server that hosts sources is given. */
export interface SourceDesk {
  readonly connectors: readonly SourceConnector[];
  /** What relative paths of definitions are relative to. */
  readonly root: string;
  /** The sources of all active deployments. */
  readonly find: () => Promise<readonly HostedSource[]>;
}

export interface SourceHostOptions {
  readonly parts: Pick<EngineParts, "store" | "clock" | "log" | "commit" | "events">;
  readonly clock: Clock;
  readonly owns: (shard: number) => boolean;
  readonly outbox: Pick<Outbox, "drain">;
  /** Absent: this server hosts none. */
  readonly desk: SourceDesk | undefined;
}

interface Hosted {
  /** What was deployed: another text is another source. */
  readonly text: string;
  readonly shard: number;
  readonly paused: boolean;
  readonly run: SourceRun;
}

export function sourceShard(name: string): number {
  return shardOfName(`${workspaceId}/source/${name}`);
}

export class SourceHost {
  readonly #options: SourceHostOptions;
  readonly #hosted = new Map<string, Hosted>();
  #again = false;
  #working: Promise<void> | undefined;
  #isBehind = false;
  #stopped = false;

  constructor(options: SourceHostOptions) {
    this.#options = options;
  }

  /** Resolves when what runs here is what is deployed; what fails is logged and tried again with the next tick. */
  refresh(): Promise<void> {
    if (!this.#options.desk || this.#stopped) return Promise.resolve();
    this.#again = true;
    this.#working ??= this.#work(this.#options.desk).finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  tick(): void {
    if (this.#isBehind) void this.refresh();
  }

  /** These shards go to another node: resolves when nothing reads for them any more (U1). */
  async drop(shards: ReadonlySet<number>): Promise<void> {
    const gone = [...this.#hosted].filter(([, { shard }]) => shards.has(shard));
    for (const [name] of gone) this.#hosted.delete(name);
    await Promise.all(gone.map(([, { run }]) => run.stop()));
  }

  /** Nothing is taken from readers from now on. */
  stop(): void {
    this.#stopped = true;
    for (const { run } of this.#hosted.values()) void run.stop();
    this.#hosted.clear();
  }

  async #work(desk: SourceDesk): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#arrange(desk, await desk.find());
        this.#isBehind = false;
      } catch (error) {
        this.#isBehind = true;
        this.#options.parts.log.warn({ err: error }, "the sources could not be read");
      }
    }
  }

  async #arrange(desk: SourceDesk, deployed: readonly HostedSource[]): Promise<void> {
    const wanted = new Map(deployed.map((source) => [source.definition.name, source]));
    const stops: Promise<void>[] = [];
    for (const [name, hosted] of this.#hosted) {
      const source = wanted.get(name);
      if (source && textOf(source) === hosted.text && source.paused === hosted.paused) continue;
      this.#hosted.delete(name);
      stops.push(hosted.run.stop(source ? undefined : "stopped"));
    }
    await Promise.all(stops);
    const isNew = ({ definition }: HostedSource): boolean =>
      !this.#hosted.has(definition.name) && this.#options.owns(sourceShard(definition.name));
    if (!deployed.some(isNew)) return;
    await this.#outboxDrained();
    for (const source of deployed) this.#start(desk, source);
  }

  /** Where another node owns the log, its outbox is looked at until it is empty (U2). */
  async #outboxDrained(): Promise<void> {
    const { outbox, parts, clock } = this.#options;
    await outbox.drain();
    while (!this.#stopped && (await parts.store.loadOutbox(1)).length > 0)
      await new Promise<void>((resolve) => void clock.after(sourceRoomMs, resolve));
  }

  #start(desk: SourceDesk, source: HostedSource): void {
    const { definition, paused } = source;
    const shard = sourceShard(definition.name);
    if (this.#hosted.has(definition.name) || this.#stopped || !this.#options.owns(shard)) return;
    const connector = desk.connectors.find(({ kind }) => kind === definition.kind) ?? unknownKind(definition);
    const run = new SourceRun({ ...this.#options, definition, connector, shard, root: desk.root });
    this.#hosted.set(definition.name, { text: textOf(source), shard, paused, run });
    if (paused) run.pause();
    else run.start();
  }
}

/** Where it stands in a file makes no other source of it. */
function textOf({ definition: { source: _source, ...definition } }: HostedSource): string {
  return canonicalJson(definition);
}

function unknownKind({ kind }: SourceDefinition): SourceConnector {
  return {
    kind,
    placeOf: () => "",
    read: async () => {
      throw new MillraceError("MILLRACE_SOURCE_KIND", {
        message: `This server has no connector of the kind "${kind}".`,
        fields: { kind },
      });
    },
  };
}
