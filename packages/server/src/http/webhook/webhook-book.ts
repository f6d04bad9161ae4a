/**
 * The webhooks that this server answers to: those of all active deployments, with their secrets.
 *
 * K1: secrets stay here: they are read from the server's variables by name, and are in no answer and no line of the log.
 * K2: what was deployed counts from the answer of the deploy at this server, and from its notification at others.
 */
import type { WebhookView } from "@millrace/protocol";
import { openWebhook, Rate, type OpenWebhook } from "@millrace/protocol/webhook-delivery";
import type { DeployedWebhook } from "@millrace/store";
import type { Clock } from "../../engine/clock.ts";
import type { EngineLog } from "../../engine/engine-options.ts";

export interface WebhookBookOptions {
  readonly read: () => Promise<readonly DeployedWebhook[]>;
  /** The server's environment. */
  readonly variables: { readonly [name: string]: string | undefined };
  readonly publicUrl: string | undefined;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: EngineLog;
}

interface FoundWebhook extends OpenWebhook {
  readonly project: string;
}

/** A missing secret is told this often at most. */
const tellAgainMs = 60_000;

export class WebhookBook {
  readonly #options: WebhookBookOptions;
  readonly #rates = new Map<string, Rate>();
  readonly #toldAt = new Map<string, number>();
  #read: Promise<ReadonlyMap<string, FoundWebhook>> | undefined;

  constructor(options: WebhookBookOptions) {
    this.#options = options;
  }

  async find(name: string): Promise<FoundWebhook | undefined> {
    return (await this.#webhooks()).get(name);
  }

  async list(): Promise<WebhookView[]> {
    const base = this.#options.publicUrl?.replace(/\/+$/, "") ?? "";
    return [...(await this.#webhooks()).values()].map(({ definition, project, missing }) => ({
      name: definition.name,
      project,
      kind: definition.verify.kind,
      address: `${base}/hooks/${definition.name}`,
      missingSecrets: missing,
      ...(definition.source ? { source: definition.source } : {}),
    }));
  }

  /** Definitions may have changed. What is missing is told once they are read. */
  async refresh(): Promise<void> {
    this.#read = undefined;
    const webhooks = await this.#webhooks();
    for (const name of this.#rates.keys()) if (!webhooks.has(name)) this.#rates.delete(name);
    for (const webhook of webhooks.values()) this.tellMissing(webhook);
  }

  /** For who runs the server: names of variables are nobody else's business. */
  tellMissing({ definition, missing }: OpenWebhook): void {
    const now = this.#options.clock.monotonic();
    for (const name of missing) {
      const told = `${definition.name} ${name}`;
      if (now - (this.#toldAt.get(told) ?? Number.NEGATIVE_INFINITY) < tellAgainMs) continue;
      this.#toldAt.set(told, now);
      this.#options.log.warn(
        { webhook: definition.name, variable: name },
        `the webhook ${definition.name} names the secret ${name}, an environment variable that this server does not have`,
      );
    }
  }

  #webhooks(): Promise<ReadonlyMap<string, FoundWebhook>> {
    if (this.#read) return this.#read;
    const reading = this.#options
      .read()
      .then((rows) => new Map(rows.map((row) => [row.definition.name, this.#open(row)])));
    this.#read = reading;
    reading.catch(() => {
      if (this.#read === reading) this.#read = undefined;
    });
    return reading;
  }

  #open({ project, definition }: DeployedWebhook): FoundWebhook {
    const { name, rate } = definition;
    const open = openWebhook(definition, this.#options.variables, () => this.#take(name, rate));
    return { ...open, project };
  }

  #take(name: string, perSecond: number): boolean {
    const now = this.#options.clock.monotonic();
    const rate = this.#rates.get(name) ?? new Rate(perSecond, now);
    this.#rates.set(name, rate);
    return rate.take(perSecond, now);
  }
}
