/**
 * The webhooks that this server answers to: those of all active deployments, with their secrets.
 *
 * K1: secrets stay here: they are read from the server's variables by name, and are in no answer and no line of the log.
 * K2: what was deployed counts from the answer of the deploy at this server, and from its notification at others.
 */
import {
  compileMapping,
  webhookMappingNames,
  type CompiledMapping,
  type WebhookDefinition,
} from "@millrace/core";
import type { WebhookView } from "@millrace/protocol";
import type { DeployedWebhook } from "@millrace/store";
import type { Clock } from "../../engine/clock.ts";
import type { EngineLog } from "../../engine/engine-options.ts";
import type { AttributeName, Mappings } from "./delivery-event.ts";
import { Rate } from "./rate.ts";
import { keyOf } from "./verification.ts";

export interface WebhookBookOptions {
  readonly read: () => Promise<readonly DeployedWebhook[]>;
  /** The server's environment. */
  readonly variables: { readonly [name: string]: string | undefined };
  readonly publicUrl: string | undefined;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: EngineLog;
}

export interface OpenWebhook {
  readonly definition: WebhookDefinition;
  readonly project: string;
  readonly mappings: Mappings;
  /** Of the secrets that are there. */
  readonly keys: readonly Buffer[];
  /** Variables that are named and have no value of use. */
  readonly missing: readonly string[];
  /** False when there are too many deliveries. */
  readonly take: () => boolean;
}

/** A missing secret is told this often at most. */
const tellAgainMs = 60_000;

export class WebhookBook {
  readonly #options: WebhookBookOptions;
  readonly #rates = new Map<string, Rate>();
  readonly #toldAt = new Map<string, number>();
  #read: Promise<ReadonlyMap<string, OpenWebhook>> | undefined;

  constructor(options: WebhookBookOptions) {
    this.#options = options;
  }

  async find(name: string): Promise<OpenWebhook | undefined> {
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

  #webhooks(): Promise<ReadonlyMap<string, OpenWebhook>> {
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

  #open({ project, definition }: DeployedWebhook): OpenWebhook {
    const { name, verify, rate } = definition;
    const keys: Buffer[] = [];
    const missing: string[] = [];
    if (verify.kind !== "none") {
      for (const variable of verify.secrets) {
        const key = keyOf(verify.kind, this.#options.variables[variable] ?? "");
        if (key) keys.push(key);
        else missing.push(variable);
      }
    }
    return {
      definition,
      project,
      keys,
      missing,
      mappings: compile(definition),
      take: () => this.#take(name, rate),
    };
  }

  #take(name: string, perSecond: number): boolean {
    const now = this.#options.clock.monotonic();
    const rate = this.#rates.get(name) ?? new Rate(perSecond, now);
    this.#rates.set(name, rate);
    return rate.take(perSecond, now);
  }
}

function compile({ mapping }: WebhookDefinition): Mappings {
  const mappings: { [name in AttributeName]?: CompiledMapping } = {};
  for (const name of webhookMappingNames) {
    const text = mapping[name];
    if (text !== undefined) mappings[name] = compileMapping(text, ["body", "headers"]);
  }
  return mappings;
}
