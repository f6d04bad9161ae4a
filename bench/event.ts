import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { apiPrefix } from "@millrace/protocol";
import { resultOf, type Bench } from "./parts/result.ts";
import { realIsolation, Stack } from "./parts/stack.ts";
import { summarize } from "./parts/statistics.ts";

const perSecond = 100;

interface Noticed {
  readonly n: number;
  /** ms since 1970, with its fractions. */
  readonly at: number;
}

export const event: Bench = {
  name: "event",
  measures: `events that come in over HTTP, ${perSecond} a second: from the request's sending to the first line of the task that its trigger starts`,
  doesNotMeasure: [
    "events that nobody waits for, or that many do",
    "other machines: the clocks of the processes are one machine's",
    "work: the task notes the time and returns",
  ],
  run: async ({ short }) => {
    await using stack = await Stack.start();
    const ledger = join(stack.folder, "noticed");
    writeFileSync(ledger, "");
    const server = await stack.startServer();
    await stack.deploy(server);
    await stack.startWorker(server, "real", { MILLRACE_BENCH_LEDGER: ledger });
    const sender = new Sender(server.url);
    const warmUps = 200;
    const count = perSecond * (short ? 5 : 60);
    for (let n = -warmUps; n < 0; n += 1) await sender.send(n);
    const begun = performance.now();
    const sending: Promise<void>[] = [];
    for (let n = 0; n < count; n += 1) {
      const wait = begun + (n * 1_000) / perSecond - performance.now();
      if (wait > 0) await delay(wait);
      sending.push(sender.send(n));
    }
    await Promise.all(sending);
    const noticed = await all(ledger, warmUps + count);
    sender.close();
    const durations = noticed.filter(({ n }) => n >= 0).map(({ n, at }) => at - sender.sentAt.get(n)!);
    return await resultOf(stack, "event", summarize(durations), realIsolation);
  },
};

class Sender {
  readonly sentAt = new Map<number, number>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;

  constructor(url: string) {
    this.#url = `${url}${apiPrefix}/events`;
  }

  send(n: number): Promise<void> {
    const text = JSON.stringify({
      specversion: "1.0",
      source: "/bench",
      id: String(n),
      type: "bench.noticed",
      data: { n },
    });
    const headers = {
      "content-type": "application/cloudevents+json",
      "content-length": Buffer.byteLength(text),
    };
    this.sentAt.set(n, performance.timeOrigin + performance.now());
    return new Promise((resolve, reject) => {
      const sent = request(this.#url, { method: "POST", agent: this.#agent, headers });
      sent.on("response", (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 200
            ? resolve()
            : reject(new Error(`an event was answered ${response.statusCode}`)),
        );
      });
      sent.on("error", reject);
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Each event starts one run, and none starts two. */
async function all(ledger: string, count: number): Promise<Noticed[]> {
  for (let tries = 0; tries < 300; tries += 1) {
    const lines = readFileSync(ledger, "utf8").split("\n").filter(Boolean);
    if (lines.length >= count) {
      const noticed = lines.map((line) => JSON.parse(line) as Noticed);
      if (new Set(noticed.map(({ n }) => n)).size === count && lines.length === count) return noticed;
      throw new Error(`${lines.length} tasks ran for ${count} events`);
    }
    await delay(100);
  }
  throw new Error("not every event was noticed within 30 s");
}
