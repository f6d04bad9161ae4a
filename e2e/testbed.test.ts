/** A testbed does what a server does: the same scenarios in both, and what is seen of them compared. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { testbed, type Testbed } from "millrace/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import {
  explainServer,
  explainTestbed,
  foreseenInServer,
  foreseenInTestbed,
  observeServer,
  observeTestbed,
  progressOfServer,
  progressOfTestbed,
} from "./harness/observation.ts";
import { Stack } from "./harness/stack.ts";
import config from "./testbed-project/millrace.config.ts";
import { gateScenarios, webhookSecrets } from "./testbed-gate-scenarios.ts";
import { newsScenarios } from "./testbed-news-scenarios.ts";
import { oddScenarios } from "./testbed-odd-scenarios.ts";
import { plainScenarios, type Scenario, type ScenarioEvent, type Step } from "./testbed-scenarios.ts";

const folder = join(import.meta.dirname, "testbed-project");
const files = readdirSync(join(folder, "pipelines"));
const scenarioMs = 60_000;
const scenarios = [...plainScenarios, ...gateScenarios, ...oddScenarios, ...newsScenarios];

let stack: Stack;
let api: Api;
let pipelines: object;

beforeAll(async () => {
  stack = await Stack.make();
  ({ api } = await stack.server({ environment: webhookSecrets }));
  await stack.worker({ url: api.url, slots: 4 });
  await stack.deploy(api, { folder });
  const modules = await Promise.all(
    files.map(async (file) => (await import(join(folder, "pipelines", file))) as object),
  );
  pipelines = Object.assign({}, ...modules) as object;
}, 120_000);

afterAll(() => stack[Symbol.asyncDispose]());

/** Does a step in the testbed; what is answered is told. */
async function inTestbed(t: Testbed, step: Step): Promise<unknown> {
  if ("emit" in step) await t.emit(step.emit);
  else if ("start" in step) await t.start(step.start, (step.params ?? {}) as never, partitionOf(step));
  else if ("advance" in step) await t.advance(step.advance);
  else if ("pause" in step) await t.pause(step.pause);
  else if ("resume" in step) await t.resume(step.resume, onResumeOf(step));
  else if ("preview" in step) return foreseenInTestbed(t, step.preview, onResumeOf(step));
  else if ("rerun" in step) {
    const { rerun, ...what } = step;
    await t.rerun(t.runsOf(rerun).at(-1)!, what);
  } else if ("cancel" in step) {
    const { cancel, ...of } = step;
    await t.cancel(t.runsOf(cancel).at(-1)!, of);
  } else if ("mark" in step) {
    const { mark, node, ...as } = step;
    await t.mark(t.runsOf(mark).at(-1)!, node, as);
  } else if ("webhook" in step) {
    const { position: _position, conflict, ...answer } = await t.webhook(step.webhook, step);
    return { ...answer, isConflict: conflict !== undefined };
  } else return explainTestbed(t, step.explain, { key: step.key, event: step.event });
  return undefined;
}

async function inServer(step: Step): Promise<unknown> {
  if ("emit" in step) await emit(step.emit);
  else if ("start" in step)
    await api.send("POST", "/runs", {
      pipeline: step.start,
      params: step.params ?? {},
      ...partitionOf(step),
    });
  else if ("pause" in step) await api.send("POST", `/pipelines/${step.pause}/pause`);
  else if ("resume" in step) await api.send("POST", `/pipelines/${step.resume}/resume`, onResumeOf(step));
  else if ("preview" in step) return foreseenInServer(api, step.preview, onResumeOf(step));
  else if ("rerun" in step) {
    const { nodes, all } = step;
    const scope = all ? "all" : nodes ? "nodes" : "failed";
    await toNewest(step.rerun, "rerun", { scope, ...(nodes ? { nodes } : {}) });
  } else if ("cancel" in step)
    await toNewest(step.cancel, "cancel", step.node === undefined ? {} : { node: step.node });
  else if ("mark" in step) {
    const { mark, ...verdict } = step;
    await toNewest(mark, "mark", verdict);
  } else if ("webhook" in step) return deliver(step);
  else if ("explain" in step) return explainServer(api, step.explain, { key: step.key, event: step.event });
  return undefined;
}

function partitionOf({ partition }: { readonly partition?: string }): { readonly partition?: string } {
  return partition === undefined ? {} : { partition };
}

function onResumeOf({ onResume }: Extract<Step, { resume: string } | { preview: string }>): {
  readonly onResume?: typeof onResume & {};
} {
  return onResume === undefined ? {} : { onResume };
}

async function toNewest(pipeline: string, command: string, body: object): Promise<void> {
  const [newest] = await api.runs(`pipeline=${pipeline}`);
  await api.send("POST", `/runs/${newest!.id}/${command}`, body);
}

async function deliver({ webhook, headers = {}, body }: Extract<Step, { webhook: string }>): Promise<object> {
  const response = await fetch(`${api.url}/hooks/${webhook}`, {
    method: "POST",
    headers: { ...headers },
    body: Buffer.from(body),
  });
  const { duplicate, code, detail, conflict, challenge, invalid } = (await response.json()) as {
    readonly challenge?: string;
    readonly duplicate?: true;
    readonly code?: string;
    readonly detail?: string;
    readonly conflict?: number;
    readonly invalid?: string;
  };
  return {
    status: response.status,
    ...(duplicate ? { duplicate } : {}),
    ...(challenge === undefined ? {} : { challenge }),
    ...(code === undefined ? {} : { code, detail }),
    ...(invalid === undefined ? {} : { invalid }),
    isConflict: conflict !== undefined,
  };
}

async function emit(events: readonly ScenarioEvent[]): Promise<void> {
  const response = await fetch(`${api.url}/api/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(events.map((event) => ({ specversion: "1.0", source: "/test", ...event }))),
  });
  const { rejected } = (await response.json()) as { readonly rejected: number };
  if (!response.ok || rejected > 0) throw new Error(`events were refused: ${response.status}`);
}

/** Each step is done in the testbed first: how far that comes is how far the server is waited for. */
async function compare({ prepare, pipelines: names, steps }: Scenario): Promise<void> {
  const t = await testbed(pipelines, { config, now: Date.now(), secrets: webhookSecrets });
  prepare?.(t);
  for (const [at, step] of steps.entries()) {
    const told = await inTestbed(t, step);
    expect(await inServer(step), `step ${at + 1}`).toEqual(told);
    const wanted = progressOfTestbed(t, names);
    const hasCome = async (): Promise<boolean> => {
      const { firings, runs, endedRuns } = await progressOfServer(api, t, names);
      return firings >= wanted.firings && runs >= wanted.runs && endedRuns >= wanted.endedRuns;
    };
    await expect.poll(hasCome, { timeout: scenarioMs / 2, message: `step ${at + 1}` }).toBe(true);
  }
  const expected = observeTestbed(t, names);
  await expect.poll(() => observeServer(api, t, names), { timeout: scenarioMs / 2 }).toEqual(expected);
}

describe("a testbed and a server do alike:", () => {
  test.each(scenarios)("$name", compare, scenarioMs);

  test("each pipeline of the project is in one scenario", () => {
    const all = Object.values(pipelines)
      .filter((one) => "call" in (one as object))
      .map((one) => (one as { readonly name: string }).name)
      .sort();
    expect(scenarios.flatMap(({ pipelines: names }) => names).sort()).toEqual(all);
  });
});
