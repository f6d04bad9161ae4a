/**
 * The embedded PostgreSQL server: started, watched and stopped by us.
 *
 * E1: Only the owner of the state folder starts, watches or stops its server.
 * E2: The server outlives a kill of our process; the next owner adopts it.
 * E3: While we run, a server that dies is started again; nobody but us restarts it.
 * E4: stop() ends the watching before the server, so that E3 can't undo it.
 */
import { stateFolderFailure } from "../state-failure.ts";
import { findBinaries } from "./binaries.ts";
import { ensureCluster, locateData } from "./data-folder.ts";
import { isAlive } from "./process-identity.ts";
import {
  adminDatabase,
  adminUser,
  delay,
  ensurePostmaster,
  logPathOf,
  type Postmaster,
  type PostmasterContext,
  stopPostmaster,
} from "./postmaster.ts";
import type { ServerSettings } from "./settings.ts";
import { removeSocketFolder } from "./socket-folder.ts";
import { claimStateFolder, type StateFolderClaim } from "./state-folder.ts";

/** How to reach an embedded server: a socket, and no password. */
export interface EmbeddedConnection {
  /** The folder of the server's socket. */
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

export interface EmbeddedOptions {
  /** The project's state folder; made if it is missing. */
  readonly folder: string;
  /** The folder's claim, when the caller holds it. Else it is claimed here, and released by `stop`. */
  readonly claim?: StateFolderClaim;
  /** Settings that replace ours when the server is started, for tests and benchmarks: `{ fsync: "off" }`. */
  readonly settings?: ServerSettings;
  readonly log?: (message: string) => void;
  /** PostgreSQL's process has begun, and now starts beside what its owner does. Not called for one that is adopted. */
  readonly onSpawn?: () => void;
  /** The server had died and runs again. */
  readonly onRestart?: () => void;
}

export interface EmbeddedServer {
  readonly connection: EmbeddedConnection;
  /** PostgreSQL's version, for example `18.4`. */
  readonly version: string;
  /** It was already running: an earlier owner was killed. */
  readonly adopted: boolean;
  /** PostgreSQL's data directory; outside the state folder when root's server can't reach that. */
  readonly dataFolder: string;
  readonly logPath: string;
  /** The process id of the server's first process. */
  pid(): number;
  /** Shuts the server down and waits. May be called twice. */
  stop(): Promise<void>;
}

const watchIntervalMs = 500;
const backoffMsMin = 100;
const backoffMsMax = 5_000;

/**
 * Starts PostgreSQL in a state folder, or takes over the one that runs there.
 * Throws MILLRACE_STATE_IN_USE, MILLRACE_STATE_FOLDER, MILLRACE_DATA_VERSION or MILLRACE_EMBEDDED_FAILED.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const claim = options.claim ?? (await claimStateFolder(options.folder));
  const ownClaim = options.claim === undefined ? claim : undefined;
  try {
    const { folder } = claim;
    const place = await locateData(folder);
    const binaries = await findBinaries(place.account);
    await ensureCluster(place, binaries, folder);
    const { settings = {}, onSpawn } = options;
    const context = { place, binaries, folder, settings, ...(onSpawn === undefined ? {} : { onSpawn }) };
    const postmaster = await ensurePostmaster(context);
    return new WatchedServer(context, postmaster, { ...options, ownClaim });
  } catch (error) {
    await ownClaim?.release();
    throw await stateFolderFailure(claim.folder, error);
  }
}

interface WatchOptions {
  readonly ownClaim: StateFolderClaim | undefined;
  readonly log?: (message: string) => void;
  readonly onRestart?: () => void;
}

class WatchedServer implements EmbeddedServer {
  readonly connection: EmbeddedConnection;
  readonly version: string;
  readonly adopted: boolean;
  readonly dataFolder: string;
  readonly logPath: string;
  readonly #context: PostmasterContext;
  readonly #options: WatchOptions;
  #postmaster: Postmaster;
  #watch: NodeJS.Timeout | undefined;
  #restarting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(context: PostmasterContext, postmaster: Postmaster, options: WatchOptions) {
    this.#context = context;
    this.#postmaster = postmaster;
    this.#options = options;
    this.version = postmaster.version;
    this.adopted = postmaster.adopted;
    this.dataFolder = context.place.data;
    this.logPath = logPathOf(context.folder);
    this.connection = { host: postmaster.socketFolder, user: adminUser, database: adminDatabase };
    this.#watchNext();
  }

  pid(): number {
    return this.#postmaster.pid;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#watch);
    await this.#restarting;
    await stopPostmaster(this.#postmaster.pid);
    await removeSocketFolder(this.#context.place.data, this.#context.place.account);
    await this.#options.ownClaim?.release();
  }

  #watchNext(): void {
    this.#watch = setTimeout(() => {
      this.#restarting = this.#restartIfDead();
    }, watchIntervalMs);
    this.#watch.unref();
  }

  /** Never rejects: it is the top of the watching loop. */
  async #restartIfDead(): Promise<void> {
    if (await isAlive(this.#postmaster.pid).catch(() => true)) return this.#watchUnlessStopping();
    const { log, onRestart } = this.#options;
    log?.(`PostgreSQL (process ${this.#postmaster.pid}) died; starting it again`);
    for (let wait = backoffMsMin; this.#stopping === undefined; wait = Math.min(wait * 2, backoffMsMax)) {
      try {
        this.#postmaster = await ensurePostmaster(this.#context);
        log?.(`PostgreSQL runs again (process ${this.#postmaster.pid})`);
        onRestart?.();
        break;
      } catch (error) {
        log?.(`PostgreSQL did not start: ${error instanceof Error ? error.message : String(error)}`);
        await delay(wait);
      }
    }
    this.#watchUnlessStopping();
  }

  #watchUnlessStopping(): void {
    if (this.#stopping === undefined) this.#watchNext();
  }
}
