/** Keeps a server's deployment equal to a project's files; a project that can't be loaded changes nothing. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ApiClient } from "../api/client.ts";
import { configurationFiles, type LoadedConfiguration } from "../project/configuration.ts";
import { includeDefault } from "../project/configuration-check.ts";
import { findIncludedFiles } from "../project/include.ts";
import { watchProject, type ProjectWatcher } from "../project/watch.ts";
import type { DevReport } from "./dev-report.ts";
import type { ProjectStatus } from "./project-status.ts";
import {
  activeDeployment,
  buildProject,
  describeProject,
  ensureDeployed,
  type BundledProject,
  type PreparedProject,
  type PrepareListener,
} from "./deployment.ts";

/** File systems tell times by a coarser clock than ours. */
const clockToleranceMs = 20;

export interface Deployed {
  readonly deployment: number;
  readonly pipelines: readonly string[];
  readonly at: Date;
}

export interface ReloaderListeners {
  readonly report: DevReport;
  readonly status: ProjectStatus;
  readonly onQueues: (queues: readonly string[]) => void;
}

export class Reloader {
  readonly #root: string;
  readonly #report: DevReport;
  readonly #status: ProjectStatus;
  readonly #onQueues: (queues: readonly string[]) => void;
  #client: ApiClient | undefined;
  #building: Promise<BundledProject> | undefined;
  /** As it was read last, while its files are as they were. */
  #configuration: LoadedConfiguration | undefined;
  #describing: Promise<PreparedProject> | undefined;
  #inputs: readonly string[] = [];
  #project: string | undefined;
  #include: readonly string[] = includeDefault;
  #watcher: ProjectWatcher | undefined;
  /** The globs that the watcher was made for. */
  #watched: readonly string[] | undefined;
  /** When the files began to be read, in ms. */
  #readAt = 0;
  #changed: readonly string[] | undefined;
  #working: Promise<void> | undefined;
  #isStopped = false;
  readonly #configured: Promise<void>;
  #markConfigured: () => void = () => undefined;
  current: Deployed | undefined;
  /** As the last readable configuration declares them. */
  queues: readonly string[] = ["default"];

  constructor(root: string, { report, status, onQueues }: ReloaderListeners) {
    this.#root = root;
    this.#report = report;
    this.#status = status;
    this.#onQueues = onQueues;
    this.#configured = new Promise((resolve) => {
      this.#markConfigured = resolve;
    });
  }

  /** Bundles the project; needs no server yet. */
  async build(): Promise<BundledProject> {
    this.#building ??= this.#build([]);
    return this.#building;
  }

  /** Runs the project's files, to learn what they define; needs no server yet. */
  async describe(): Promise<PreparedProject> {
    this.#describing ??= this.build().then(describeProject);
    return this.#describing;
  }

  /** Resolves when the first configuration is read, or can't be. */
  async configured(): Promise<void> {
    await Promise.race([this.#configured, this.build().catch(() => undefined)]);
  }

  /** Deploys what was prepared. What is wrong with the project is reported, not thrown. */
  async activate(client: ApiClient): Promise<void> {
    this.#client = client;
    await this.#deploy([]);
  }

  /** Watches from now on, and takes up what changed since the files were read. */
  async watch(): Promise<void> {
    const include = this.#include;
    const watcher = await watchProject(this.#root, { include }, (changed) => this.#onChange(changed));
    if (this.#isStopped) return watcher.stop();
    this.#watcher = watcher;
    this.#watched = include;
    watcher.watchInputs(this.#inputs);
    const missed = await this.#changedSince(this.#readAt);
    if (missed.length > 0) this.#onChange(missed);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#watcher?.stop();
    await this.#working;
    await this.#building?.catch(() => undefined);
    await this.#describing?.catch(() => undefined);
  }

  #onChange(changed: readonly string[]): void {
    this.#changed = [...(this.#changed ?? []), ...changed];
    this.#working ??= this.#reload();
  }

  async #changedSince(time: number): Promise<string[]> {
    const included = await findIncludedFiles(this.#root, this.#include).catch(() => []);
    const files = new Set([...this.#inputs, ...included.map((file) => join(this.#root, file))]);
    const times = await Promise.all(
      Array.from(files, async (file) => ({
        file,
        changedAt: (await stat(file).catch(() => undefined))?.mtimeMs,
      })),
    );
    return times
      .filter(({ changedAt }) => changedAt !== undefined && changedAt > time)
      .map(({ file }) => file);
  }

  /** One reload at a time; changes during one start the next. */
  async #reload(): Promise<void> {
    while (this.#changed !== undefined && !this.#isStopped) {
      const changed = this.#changed;
      this.#changed = undefined;
      this.#building = this.#build(changed);
      this.#describing = undefined;
      await this.#deploy(changed);
      if (this.#watched !== undefined && this.#watched.join() !== this.#include.join()) {
        await this.#watcher?.stop();
        await this.watch();
      } else this.#watcher?.watchInputs(this.#inputs);
    }
    this.#working = undefined;
  }

  async #build(changed: readonly string[]): Promise<BundledProject> {
    this.#readAt = Date.now() - clockToleranceMs;
    const known = this.#configuration;
    this.#configuration = undefined;
    const isSame = known !== undefined && !changed.some((file) => isPartOf(known, file));
    const listener: PrepareListener = {
      onConfiguration: (loaded) => {
        const { configuration } = loaded;
        this.#configuration = loaded;
        this.#include = configuration.include;
        this.#project = configuration.project;
        this.#takeQueues(["default", ...configuration.queues.filter((name) => name !== "default")]);
        this.#markConfigured();
      },
      onInputs: (inputs) => {
        this.#inputs = inputs;
      },
    };
    return buildProject(this.#root, listener, isSame ? known : undefined);
  }

  /** What an earlier session deployed is still in force. */
  async #fromEarlier(): Promise<Deployed | undefined> {
    if (!this.#client || this.#project === undefined) return undefined;
    const active = await activeDeployment(this.#client, this.#project);
    if (!active) return undefined;
    const { deployment, pipelines, createdAt } = active;
    return { deployment, pipelines, at: new Date(createdAt) };
  }

  #takeQueues(queues: readonly string[]): void {
    const isSame = queues.join() === this.queues.join();
    this.queues = queues;
    if (!isSame) this.#onQueues(queues);
  }

  async #deploy(changed: readonly string[]): Promise<void> {
    const startedAt = performance.now();
    try {
      const built = await this.build();
      if (!this.#client || this.#isStopped) return;
      const response = await ensureDeployed(this.#client, built, () => this.describe());
      const { deployment, added, changed: mended, unchanged } = response;
      const at = this.current?.deployment === deployment ? this.current.at : new Date();
      this.current = { deployment, pipelines: [...added, ...mended, ...unchanged].sort(), at };
      const definition = (await this.#describing)?.definition;
      const ms = performance.now() - startedAt;
      this.#status.takenUp({ response, running: this.current, definition, files: changed, ms });
      this.#report.spentSchedules(response);
      if (changed.length > 0) this.#report.deployed(response, changed, ms);
    } catch (error) {
      if (this.#isStopped) return;
      this.current ??= await this.#fromEarlier();
      this.#status.broken(error, this.current);
      this.#report.broken(error, this.current);
    }
  }
}

/** One that is missing may come back under another of its names. */
function isPartOf({ root, inputs }: LoadedConfiguration, file: string): boolean {
  return inputs.includes(file) || configurationFiles.some((name) => join(root, name) === file);
}
