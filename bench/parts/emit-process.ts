/** Clients that emit events in batches, in a process of their own: each sends the next batch when the last is answered. */
import { once } from "node:events";
import { connect } from "node:net";
import { apiPrefix } from "@millrace/protocol";
import { answerParent } from "./child.ts";
import { exchange } from "./exchange.ts";

const batchSize = 100;

interface Wanted {
  readonly url: string;
  readonly clients: number;
  /** Each client sends batches until these are over. */
  readonly ms: number;
  /** Or until this many events are sent, of which every tenth has the next `n` of those that runs wait for. */
  readonly events: number | null;
}

interface Emitted {
  /** Durations in ms from request to answer, of each batch. */
  readonly durations: readonly number[];
  readonly events: number;
  readonly refused: number;
  readonly ms: number;
}

let emitted = 0;
let woken = 0;

async function emit({ url, clients, ms, events: wanted }: Wanted): Promise<Emitted> {
  const { hostname, port } = new URL(url);
  const durations: number[] = [];
  let events = 0;
  let refused = 0;
  let begun = 0;
  const started = performance.now();
  const goesOn = (): boolean => (wanted === null ? performance.now() < started + ms : begun < wanted);
  const client = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    // Its close follows.
    socket.on("error", () => {});
    while (goesOn()) {
      begun += batchSize;
      const body = batch(wanted !== null);
      const request = Buffer.from(
        `POST ${apiPrefix}/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/cloudevents-batch+json\r\n` +
          `content-length: ${body.length}\r\n\r\n${body}`,
      );
      let sent = performance.now();
      let answer = await exchange(socket, request);
      while (answer.status === 429) {
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        sent = performance.now();
        answer = await exchange(socket, request);
      }
      if (answer.status !== 200 || !answer.body.endsWith('"rejected":0}'))
        throw new Error(`a batch was answered with ${answer.status} ${answer.body.slice(0, 300)}`);
      durations.push(performance.now() - sent);
      events += batchSize;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { durations, events, refused, ms: performance.now() - started };
}

/** Orders of a shop, 260 characters each; ASCII, so that characters are bytes. With wakings, every tenth wakes a run. */
function batch(wakings: boolean): string {
  let text = "[";
  for (let at = 0; at < batchSize; at += 1) {
    emitted += 1;
    if (wakings && at % 10 === 0) {
      text +=
        `${at === 0 ? "" : ","}{"specversion":"1.0","id":"woken-${process.pid}-${woken}","source":"/bench","type":"bench.woken",` +
        `"data":{"n":${woken}}}`;
      woken += 1;
      continue;
    }
    text +=
      `${at === 0 ? "" : ","}{"specversion":"1.0","id":"order-${process.pid}-${emitted}","source":"/bench/shop","type":"order.placed",` +
      `"subject":"customer/${emitted % 10_000}","time":"2026-01-31T06:00:00.000Z",` +
      `"data":{"order":${emitted},"total":12.5,"currency":"EUR","items":[{"sku":"A-1","count":2},{"sku":"B-7","count":1}]}}`;
  }
  return `${text}]`;
}

answerParent(
  (question) => emit(question as unknown as Wanted),
  async () => {},
);
