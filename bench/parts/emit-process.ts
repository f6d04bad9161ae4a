/** Clients that emit events in batches, in a process of their own: each sends the next batch when the last is answered. */
import { once } from "node:events";
import { connect } from "node:net";
import { apiPrefix } from "@millrace/protocol";
import { answerParent } from "./child.ts";
import { exchange } from "./exchange.ts";

const batchSize = 100;

interface Emitted {
  /** Durations in ms from request to answer, of each batch. */
  readonly durations: readonly number[];
  readonly events: number;
  readonly refused: number;
  readonly ms: number;
}

let emitted = 0;

async function emit(url: string, clients: number, ms: number): Promise<Emitted> {
  const { hostname, port } = new URL(url);
  const durations: number[] = [];
  let events = 0;
  let refused = 0;
  const begun = performance.now();
  const client = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    // Its close follows.
    socket.on("error", () => {});
    while (performance.now() < begun + ms) {
      const body = batch();
      const request = Buffer.from(
        `POST ${apiPrefix}/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/cloudevents-batch+json\r\n` +
          `content-length: ${body.length}\r\n\r\n${body}`,
      );
      const sent = performance.now();
      const answer = await exchange(socket, request);
      if (answer.status === 429) {
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      if (answer.status !== 200 || !answer.body.endsWith('"rejected":0}'))
        throw new Error(`a batch was answered with ${answer.status} ${answer.body.slice(0, 300)}`);
      durations.push(performance.now() - sent);
      events += batchSize;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { durations, events, refused, ms: performance.now() - begun };
}

/** Orders of a shop, 260 characters each; ASCII, so that characters are bytes. */
function batch(): string {
  let text = "[";
  for (let at = 0; at < batchSize; at += 1) {
    emitted += 1;
    text +=
      `${at === 0 ? "" : ","}{"specversion":"1.0","id":"order-${process.pid}-${emitted}","source":"/bench/shop","type":"order.placed",` +
      `"subject":"customer/${emitted % 10_000}","time":"2026-01-31T06:00:00.000Z",` +
      `"data":{"order":${emitted},"total":12.5,"currency":"EUR","items":[{"sku":"A-1","count":2},{"sku":"B-7","count":1}]}}`;
  }
  return `${text}]`;
}

answerParent(
  (question) => emit(String(question["url"]), Number(question["clients"]), Number(question["ms"])),
  async () => {},
);
