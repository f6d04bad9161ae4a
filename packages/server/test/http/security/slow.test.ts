/** Whoever sends or reads slowly, or connects very often, loses its own connection, and takes nobody else's. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFixture, type ServerFixture } from "../server-fixture.ts";
import { exchangeRaw } from "./crawl.ts";

const patience = { headersMs: 500, requestMs: 1_000, idleMs: 1_500 };
let fixture: ServerFixture;
let host: string;

beforeAll(async () => {
  fixture = await startFixture({ patience });
  ({ host } = new URL(fixture.server.url));
});

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

function open(bytes = ""): Socket {
  const socket = connect(Number(new URL(fixture.server.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  if (bytes !== "") socket.write(bytes);
  return socket;
}

async function closed(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(
    sockets.map((socket) =>
      socket.closed
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            socket.on("close", () => resolve());
          }),
    ),
  );
}

test("headers and bodies that never end lose their connections, whatever dribbles in; others are answered meanwhile", async () => {
  const post = `POST /api/v1/runs HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`;
  const texts = [
    "",
    "GET /api/v1/info HTTP/1.1\r\nx",
    post,
    `${post}content-length: 9\r\n\r\n{`,
    `${post}transfer-encoding: chunked\r\n\r\n1\r\n{`,
  ];
  const slow = texts.flatMap((text) => Array.from({ length: 20 }, () => open(text)));
  for (const socket of slow) socket.resume();
  const dribble = setInterval(() => {
    for (const socket of slow) if (socket.writable && socket.bytesWritten > 0) socket.write("a");
  }, 100);
  try {
    expect((await fixture.call("GET", "/info")).status).toBe(200);
    await closed(slow);
  } finally {
    clearInterval(dribble);
  }
  expect((await fixture.call("GET", "/info")).status).toBe(200);
}, 20_000);

test("readers of events that do not read are cut, and hold little until then", async () => {
  const readers = Array.from({ length: 50 }, () => {
    const socket = open(`GET /api/v1/events/follow?after=0 HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    socket.pause();
    return socket;
  });
  const text = "x".repeat(50_000);
  const before = process.memoryUsage().rss;
  for (let batch = 0; batch < 10; batch += 1) {
    const events = Array.from({ length: 50 }, (_, at) => ({
      specversion: "1.0",
      id: `${batch}-${at}`,
      source: "/slow",
      type: "slow.told",
      data: { text },
    }));
    const headers = { "content-type": "application/cloudevents-batch+json" };
    expect((await fixture.call("POST", "/events", events, headers)).status).toBeLessThan(300);
  }
  // All that was told to all would be 1.25 GB.
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  expect((await fixture.call("GET", "/info")).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 2 * patience.idleMs));
  // A socket hears of its end once what came before is read: not the 25 MB that were told.
  for (const socket of readers) socket.resume();
  await closed(readers);
  for (const socket of readers) expect(socket.bytesRead).toBeLessThan(15_000_000);
}, 30_000);

test("a thousand connections that say nothing keep nobody out, and go", async () => {
  const silent = Array.from({ length: 1_000 }, () => open());
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  for (const socket of silent) socket.resume();
  expect(
    (await exchangeRaw(fixture.server.url, `GET /api/v1/info HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).status,
  ).toBe(200);
  await closed(silent);
}, 20_000);
