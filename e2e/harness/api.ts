/** The server's API, for tests that go on while servers come and go. */
import type {
  RunDetail,
  RunState,
  RunSummary,
  ServerInfo,
  StartRunResponse,
  TaskRunView,
} from "@millrace/protocol";
import { apiPrefix, type Page, type Problem } from "@millrace/protocol";
import { until } from "./until.ts";

const endedStates: readonly RunState[] = ["succeeded", "failed", "cancelled", "superseded", "quarantined"];

/** A refusal of the server. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(`${status} ${problem.code}: ${problem.detail}`);
    this.status = status;
    this.problem = problem;
  }
}

export interface ApiOptions {
  readonly token?: string;
  readonly timeoutMs?: number;
}

export class Api {
  readonly url: string;
  readonly #options: ApiOptions;

  constructor(url: string, options: ApiOptions = {}) {
    this.url = url;
    this.#options = options;
  }

  async send<Answer>(
    method: string,
    path: string,
    body?: object,
    type = "application/json",
  ): Promise<Answer> {
    const { token, timeoutMs = 30_000 } = this.#options;
    const response = await fetch(`${this.url}${apiPrefix}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": type }),
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Refusal(response.status, JSON.parse(text) as Problem);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  info(): Promise<ServerInfo> {
    return this.send("GET", "/info");
  }

  async start(
    pipeline: string,
    options: { params?: unknown; idempotencyKey?: string } = {},
  ): Promise<string> {
    const { run } = await this.send<StartRunResponse>("POST", "/runs", { pipeline, ...options });
    return run.id;
  }

  /** Recorded, or recorded before. */
  async emit(event: object): Promise<true> {
    await this.send("POST", "/events", event, "application/cloudevents+json");
    return true;
  }

  run(id: string): Promise<RunDetail> {
    return this.send("GET", `/runs/${id}`);
  }

  /** The run once it has ended. */
  ended(id: string, ms: number): Promise<RunDetail> {
    return until(`the end of run ${id}`, ms, async () => {
      const detail = await this.run(id);
      return endedStates.includes(detail.run.state) && detail;
    });
  }

  /** The node, once it is in one of these states. */
  node(id: string, node: string, states: readonly string[], ms: number): Promise<TaskRunView> {
    return until(`node ${node} of ${id} in ${states.join()}`, ms, async () =>
      (await this.run(id)).nodes.find((one) => one.id === node && states.includes(one.state)),
    );
  }

  async runs(query: string): Promise<RunSummary[]> {
    const items: RunSummary[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined;) {
      const page: Page<RunSummary> = await this.send(
        "GET",
        `/runs?limit=1000&${query}${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }
}
