/** A server of the API whose answers the test gives. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  /** `METHOD /path` of each request, without the API's prefix and the query. */
  readonly requests: readonly string[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** In place of the body: a stream of these, which then breaks off. */
  readonly events?: readonly object[];
}

export async function startApiServer(answer: (request: string) => ApiAnswer): Promise<ApiServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url?.replace(/^\/api\/v1|\?.*$/g, "")}`;
    requests.push(asked);
    const { status, body, events } = answer(asked);
    request.resume();
    if (events) {
      response.writeHead(status, { "content-type": "text/event-stream" });
      response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
      return;
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function problem(code: string): ApiAnswer {
  return { status: 503, body: { code, detail: "not now" } };
}
