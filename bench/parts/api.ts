/** The server's HTTP API, over few connections that are kept. */
import { Agent, request, type IncomingMessage } from "node:http";
import { apiPrefix, type RunSummary, type StartRunResponse } from "@millrace/protocol";

export class Api {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = url;
  }

  async send<Answer>(method: string, path: string, body?: object, type?: string): Promise<Answer> {
    const response = await this.#request(method, path, body, type);
    const text = await readText(response);
    if ((response.statusCode ?? 0) >= 300)
      throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  async startRun(pipeline: string, params: object = {}): Promise<string> {
    const { run } = await this.send<StartRunResponse>("POST", "/runs", { pipeline, params });
    return run.id;
  }

  /** Follows the run's events to their end. */
  async finished(runId: string): Promise<RunSummary> {
    const response = await this.#request("GET", `/runs/${runId}/events`);
    if (response.statusCode !== 200) throw new Error(`the events of ${runId}: ${response.statusCode}`);
    let rest = "";
    let last: { kind?: string; run?: RunSummary } = {};
    response.setEncoding("utf8");
    for await (const text of response as AsyncIterable<string>) {
      const frames = (rest + text).split("\n\n");
      rest = frames.pop() ?? "";
      const frame = frames
        .at(-1)
        ?.split("\n")
        .find((line) => line.startsWith("data:"));
      if (frame?.includes(`"end"`)) last = JSON.parse(frame.slice(5)) as typeof last;
      if (last.kind === "end") break;
    }
    if (last.kind !== "end") throw new Error(`the events of ${runId} ended before the run`);
    return last.run!;
  }

  close(): void {
    this.#agent.destroy();
  }

  #request(method: string, path: string, body?: object, type = "application/json"): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#url}${apiPrefix}${path}`, {
        method,
        agent: this.#agent,
        headers:
          text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) },
      });
      sent.on("response", resolve);
      sent.on("error", reject);
      sent.end(text);
    });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const part of response as AsyncIterable<string>) text += part;
  return text;
}
