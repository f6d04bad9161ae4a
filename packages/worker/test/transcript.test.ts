/**
 * Conversations of protocol version 1, recorded once and kept: a worker of today must give the same answers. A line is
 * `{ "server": frame }`, `{ "worker": frame }`, `{ "event": "drop" | "drain" }` or `{ "event": "closed" }`. Times, ids,
 * stacks and the machine are normalised.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerMessage, WorkerMessage } from "@millrace/protocol";
import { expect, test } from "vitest";
import { startWorker } from "../src/index.ts";
import { ProtocolServer } from "./protocol-server.ts";

type Entry =
  | { readonly server: ServerMessage }
  | { readonly worker: WorkerMessage }
  | { readonly event: "drop" | "drain" | "closed" };

const folder = join(import.meta.dirname, "../../protocol/transcripts/v1");
const names = await readdir(folder);
const files = names.filter((name) => name.endsWith(".ndjson"));
const bundles = names.filter((name) => name.endsWith(".mjs"));

test("there are transcripts", () => {
  expect(files.length).toBeGreaterThanOrEqual(5);
});

test.for(files)("the worker answers as in v1/%s", async (file) => {
  const text = await readFile(join(folder, file), "utf8");
  const entries = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  const server = await ProtocolServer.start();
  server.welcomes = false;
  server.acknowledges = false;
  server.records = false;
  for (const name of bundles)
    server.addBundle(await readFile(join(folder, name), "utf8"), { project: "transcripts" });
  const cacheFolder = await mkdtemp(join(tmpdir(), "millrace-worker-"));
  const worker = await startWorker({
    url: server.url,
    name: "recorded",
    slots: 1,
    cacheFolder,
    version: "0.1.0",
  });
  const expected: unknown[] = [];
  const answers = (): unknown[] => normalise(server.received);
  for (const entry of entries) {
    if ("server" in entry) server.send(entry.server);
    else if ("worker" in entry) {
      expected.push(entry.worker);
      await expect
        .poll(() => answers().slice(0, expected.length), { interval: 5, timeout: 10_000 })
        .toEqual(expected);
    } else if (entry.event === "drop") server.socket?.terminate();
    else if (entry.event === "drain") void worker.drain();
    else await worker.closed;
  }
  expect(answers()).toEqual(expected);
  await worker.stop();
  await server.stop();
  await rm(cacheFolder, { recursive: true, force: true });
});

/** Without heartbeats, and with log frames of one attempt joined: how lines fall into frames is a matter of time. */
function normalise(received: readonly WorkerMessage[]): unknown[] {
  const frames: WorkerMessage[] = [];
  for (const message of received) {
    const before = frames.at(-1);
    if (message.kind === "heartbeat") continue;
    if (
      message.kind === "logs" &&
      before?.kind === "logs" &&
      before.from + before.lines.length === message.from
    ) {
      frames[frames.length - 1] = { ...before, lines: [...before.lines, ...message.lines] };
    } else frames.push(message);
  }
  return JSON.parse(JSON.stringify(frames, mask)) as unknown[];
}

const masked = new Set(["workerId", "platform", "at", "startedAt", "endedAt", "stack"]);

function mask(key: string, value: unknown): unknown {
  return masked.has(key) ? "*" : value;
}
