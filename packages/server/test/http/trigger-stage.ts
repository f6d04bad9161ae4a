/** A real server with a worker, for tests of triggers: events go in, and what tasks were given comes out. */
import type { Condition, Json, PipelineDefinition } from "@millrace/core";
import type { Dispatch } from "@millrace/protocol";
import { expect, onTestFinished } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

export const paid: Condition = {
  kind: "event",
  name: "orders",
  type: "order.paid",
  where: { op: "gte", path: ["data", "amount"], value: 10 },
};

export function triggered(name: string, condition: Condition, parts: Partial<PipelineDefinition> = {}) {
  const trigger = { condition, onResume: "all", catchUp: "latest" } as const;
  return pipeline(name, [node("see", { input: { kind: "firing", path: [] } })], { trigger, ...parts });
}

export interface Seen {
  readonly key: string | null;
  readonly revision: number;
  readonly interval: Json;
  readonly members: { readonly [operand: string]: readonly { readonly data?: Json }[] };
}

/** A server with a worker, and what its tasks were given. */
export class Stage implements AsyncDisposable {
  readonly fixture: ServerFixture;
  readonly seen: Seen[] = [];
  #wake: (() => void)[] = [];

  constructor(fixture: ServerFixture) {
    this.fixture = fixture;
  }

  static async set(pipelines: readonly PipelineDefinition[], parts: object = {}): Promise<Stage> {
    const stage = new Stage(await startFixture());
    await stage.fixture.worker({ answer: (dispatch) => stage.#answer(dispatch) });
    await stage.deploy(pipelines, parts);
    return stage;
  }

  #answer({ input }: Dispatch) {
    this.seen.push((input as unknown as { readonly value: Seen }).value);
    for (const wake of this.#wake.splice(0)) wake();
    return succeeded(null);
  }

  async deploy(pipelines: readonly PipelineDefinition[], parts: object = {}): Promise<void> {
    const answer = await this.fixture.deploy(pipelines, parts);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  }

  async emit(type: string, data: Json): Promise<number> {
    const event = { specversion: "1.0", id: crypto.randomUUID(), source: "/test", type, data };
    const answer = await this.fixture.call("POST", "/events", event, {
      "content-type": "application/cloudevents+json",
    });
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body.position as number;
  }

  /** What tasks were given, once there are `count` of them. */
  async given(count: number): Promise<readonly Seen[]> {
    while (this.seen.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.seen;
  }

  /** The data of an operand's events, for each run. */
  async dataOf(operand: string, count: number): Promise<Json[][]> {
    return (await this.given(count)).map(({ members }) =>
      (members[operand] ?? []).map(({ data }) => data ?? null),
    );
  }

  async rows(text: string): Promise<Record<string, unknown>[]> {
    return (await this.fixture.database.database.api.query<Record<string, unknown>>(text)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]();
    expect(this.fixture.logged.filter((line) => /Error|broke|refused/.test(line))).toEqual([]);
  }
}

export async function stageWith(...pipelines: readonly PipelineDefinition[]): Promise<Stage> {
  return stageOf(pipelines);
}

/** `parts`: what the project has besides, such as its assets. */
export async function stageOf(pipelines: readonly PipelineDefinition[], parts: object = {}): Promise<Stage> {
  const stage = await Stage.set(pipelines, parts);
  onTestFinished(() => stage[Symbol.asyncDispose]());
  return stage;
}
