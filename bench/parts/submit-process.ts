/** Clients that submit a number of runs, each with a number of its own, in a process of their own. */
import { once } from "node:events";
import { connect } from "node:net";
import { apiPrefix } from "@millrace/protocol";
import { answerParent } from "./child.ts";
import { exchange } from "./exchange.ts";

interface Wanted {
  readonly url: string;
  readonly pipeline: string;
  readonly clients: number;
  readonly from: number;
  readonly count: number;
}

interface Submitted {
  readonly ms: number;
  readonly refused: number;
}

async function submit({ url, pipeline, clients, from, count }: Wanted): Promise<Submitted> {
  const { hostname, port } = new URL(url);
  let next = from;
  let refused = 0;
  const begun = performance.now();
  const client = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    // Its close follows.
    socket.on("error", () => {});
    while (next < from + count) {
      const body = JSON.stringify({ pipeline, params: { n: next++ } });
      const request = Buffer.from(
        `POST ${apiPrefix}/runs HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\n` +
          `content-length: ${body.length}\r\n\r\n${body}`,
      );
      for (;;) {
        const { status, body: answer } = await exchange(socket, request);
        if (status === 200 || status === 201) break;
        if (status !== 429 && status !== 503)
          throw new Error(`a run was answered with ${status} ${answer.slice(0, 300)}`);
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { ms: performance.now() - begun, refused };
}

answerParent(
  (question) => submit(question as unknown as Wanted),
  async () => {},
);
