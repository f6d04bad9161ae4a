/**
 * Clients in a process of their own. Each has one connection that it keeps, and submits a run as soon as the one
 * before it is answered, unless many are under way: else what is measured is the queue. HTTP is written by hand, so that the clients take little of the CPU that they share with
 * what they measure.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { apiPrefix, type ServerInfo } from "@millrace/protocol";
import { Api } from "./api.ts";
import { answerParent } from "./child.ts";
import { exchange } from "./exchange.ts";

const activeRunsMax = 500;

/** Durations in ms from request to answer. */
interface Load {
  readonly durations: readonly number[];
  readonly refused: number;
}

async function load(url: string, clients: number, ms: number): Promise<Load> {
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ pipeline: "single" });
  const request = Buffer.from(
    `POST ${apiPrefix}/runs HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
  const durations: number[] = [];
  let refused = 0;
  const until = performance.now() + ms;
  const api = new Api(url);
  let held: PromiseWithResolvers<void> | undefined;
  const watch = async (): Promise<void> => {
    while (performance.now() < until) {
      const { activeRuns } = await api.send<ServerInfo>("GET", "/info");
      if (activeRuns >= activeRunsMax) held ??= Promise.withResolvers();
      else {
        held?.resolve();
        held = undefined;
      }
      await wait(5);
    }
    held?.resolve();
    api.close();
  };
  const client = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    // Its close follows.
    socket.on("error", () => {});
    while (performance.now() < until) {
      await held?.promise;
      const begun = performance.now();
      const { status } = await exchange(socket, request);
      if (status === 200 || status === 201) durations.push(performance.now() - begun);
      else refused += 1;
      // A server that is full says so at once; asking again at once would only keep it busy.
      if (status === 429 || status === 503) await wait(50);
    }
    socket.destroy();
  };
  await Promise.all([watch(), ...Array.from({ length: clients }, client)]);
  return { durations, refused };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

answerParent(
  async (question) => load(String(question["url"]), Number(question["clients"]), Number(question["ms"])),
  async () => {},
);
