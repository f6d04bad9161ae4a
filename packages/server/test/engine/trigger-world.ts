/** Whole engines over the memory store, with a trigger that tests deploy, feed and look at. */
import { liveLane, parseTrigger, type EventDraft, type Json, type PipelineDefinition } from "@millrace/core";
import type { EngineStore } from "@millrace/store";
import { seededRandom } from "@millrace/testkit";
import { expect } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { memory, pipelineOf, settled, task } from "./bench.ts";

const engines: Engine[] = [];

export function abandonEngines(): void {
  for (const engine of engines.splice(0)) engine.abandon();
}

/** One pipeline, `p`, whose trigger is deployed and told events. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- it is what it holds
export function triggerWorld(parts: Partial<PipelineDefinition> = {}) {
  const { manual, clock, database, archive } = memory();
  const definition = pipelineOf([task("a", { input: { kind: "firing", path: [] } })], parts);
  const random = seededRandom(1);
  let changes = 0;
  let emitted = 0;
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      manual.advance(Math.min(left, 250));
      for (let turn = 0; turn < 12; turn += 1) await settled();
    }
  };
  const start = async (wrap = (store: EngineStore): EngineStore => store): Promise<Engine> => {
    const engine = new Engine({
      store: wrap(database.connect()),
      blobs: { put: async () => "", get: async () => undefined },
      archive,
      definitions: {
        findActive: async () => ({ project: "main", bundle: "b1", paused: false, definition }),
        definitionOf: async () => definition,
        runAsks: async () => [],
      },
      clock,
      random: () => random.next(),
      log: { info: () => {}, warn: () => {}, error: () => {} },
      name: "a",
      url: undefined,
      version: "1",
    });
    engines.push(engine);
    await engine.start();
    return engine;
  };
  /** What a deploy or an operator leaves for the log. */
  const change = async (engine: Engine, type: string, data: Json, subject = "p"): Promise<void> => {
    const id = (changes += 1);
    database.tables.outbox.set(id, {
      id,
      workspace: 1,
      type: `millrace.trigger.${type}`,
      subject,
      data,
    });
    await engine.outbox.drain();
  };
  const deploy = (engine: Engine, trigger: Json, subject?: string): Promise<void> =>
    change(engine, "changed", { trigger: parseTrigger(trigger) as unknown as Json, paused: false }, subject);
  const emit = async (
    engine: Engine,
    placed: string | { readonly [name: string]: Json },
    extensions: EventDraft["extensions"] = {},
  ): Promise<void> => {
    const id = `e${(emitted += 1)}`;
    const draft = {
      lane: liveLane,
      source: "/shop",
      id,
      type: "order.placed",
      subject: undefined,
      time: undefined,
    };
    const rest = {
      isBinary: false,
      contentType: undefined,
      dataSchema: undefined,
      extensions,
      invalid: undefined,
    };
    await engine.events.append([
      await engine.events.prepare({
        ...draft,
        ...rest,
        data: { value: typeof placed === "string" ? { customer: placed } : placed },
      }),
    ]);
  };
  const fired = (): string[] =>
    [...database.tables.firings.values()].map(({ key, occurrence, runId }) => {
      expect(runId).toBeDefined();
      return `${key} ${occurrence}`;
    });
  return { database, pass, start, change, deploy, emit, fired };
}
