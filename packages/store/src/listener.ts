/**
 * LISTEN on a connection of its own, for as long as the process wants it.
 *
 * L1: After every connection, the first one included, all channels are listened to before `onCatchUp` is called:
 *     what was notified before that moment must be read from the tables.
 * L2: A notification is a hint. None is delivered twice, and none after `stop` has ended.
 */
import { Client, type ClientConfig } from "pg";

export interface ListenerOptions {
  readonly channels: readonly string[];
  readonly onNotification: (channel: string, payload: string) => void;
  /** Notifications may have been missed: read what is there. */
  readonly onCatchUp: () => void;
  /** The connection was lost, or could not be made again yet. */
  readonly onLoss?: (error: unknown) => void;
}

export interface Listener {
  /** Whether the channels are listened to now. */
  connected(): boolean;
  stop(): Promise<void>;
}

const backoffMsMin = 50;
const backoffMsMax = 2_000;
/** A dead peer behind a network is noticed by a question: twice a minute costs nothing. */
const probeIntervalMs = 30_000;
const probeTimeoutMs = 10_000;

/** Connects and listens. The first connection's failure is thrown; later ones are repeated until `stop`. */
export async function startListener(config: ClientConfig, options: ListenerOptions): Promise<Listener> {
  const listener = new ReconnectingListener(config, options);
  await listener.start();
  return listener;
}

class ReconnectingListener implements Listener {
  readonly #config: ClientConfig;
  readonly #options: ListenerOptions;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #connecting: Promise<void> | undefined;
  #backoffMs = backoffMsMin;
  #stopped = false;

  constructor(config: ClientConfig, options: ListenerOptions) {
    this.#config = config;
    this.#options = options;
  }

  connected(): boolean {
    return this.#client !== undefined;
  }

  start(): Promise<void> {
    this.#connecting = this.#connect();
    return this.#connecting;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#connecting?.catch(() => {});
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new Client({ ...this.#config, query_timeout: probeTimeoutMs });
    client.on("error", (error) => this.#lose(client, error));
    client.on("end", () => this.#lose(client, new Error("Connection terminated")));
    client.on("notification", ({ channel, payload }) => {
      if (this.#client === client) this.#options.onNotification(channel, payload ?? "");
    });
    try {
      await client.connect();
      await client.query(this.#options.channels.map((name) => `listen ${quote(name)}`).join("; "));
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    if (this.#stopped) return client.end();
    this.#client = client;
    this.#backoffMs = backoffMsMin;
    this.#probeLater(client);
    this.#options.onCatchUp();
  }

  #lose(client: Client, error: unknown): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#timer);
    client.end().catch(() => {});
    this.#options.onLoss?.(error);
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#connecting = this.#connect().catch((error: unknown) => {
        this.#options.onLoss?.(error);
        this.#reconnectLater();
      });
    }, this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMsMax);
  }

  #probeLater(client: Client): void {
    this.#timer = setTimeout(() => {
      client.query("select 1").then(
        () => {
          if (this.#client === client) this.#probeLater(client);
        },
        (error: unknown) => this.#lose(client, error),
      );
    }, probeIntervalMs);
    this.#timer.unref();
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
