/** The body of a delivery is kept as it came, on a real server and database. */
import { gzipSync } from "node:zlib";
import { webhookAccepts, webhookRate, type WebhookDefinition } from "@millrace/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFixture, type Answer, type ServerFixture } from "./server-fixture.ts";

const open: WebhookDefinition = {
  name: "open",
  verify: { kind: "none" },
  accepts: webhookAccepts("none"),
  headers: [],
  rate: webhookRate,
  mapping: { id: 'headers["x-id"]' },
};

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await startFixture();
  expect((await fixture.deploy([], { webhooks: [open] })).status).toBe(200);
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

interface Receipt {
  readonly position: number;
  readonly duplicate?: boolean;
  readonly conflict?: number;
}

let deliveries = 0;

async function deliver(
  body: string | Uint8Array<ArrayBuffer>,
  headers: { readonly [name: string]: string },
): Promise<Receipt> {
  const response = await fetch(`${fixture.server.url}/hooks/open`, {
    method: "POST",
    body: typeof body === "string" ? Buffer.from(body) : body,
    headers: { "x-id": `d${(deliveries += 1)}`, ...headers },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Receipt;
}

async function dataOf(position: number): Promise<Buffer> {
  const response = await fetch(`${fixture.server.url}/api/v1/events/${position}/data`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(response.headers.get("content-security-policy")).toBe("sandbox");
  return Buffer.from(await response.arrayBuffer());
}

const json = "application/json";
const long = `{ "n": 12345678901234567890,\n  "text": "${"x".repeat(40_000)}" }`;

test.each<[string, string | undefined, string | Uint8Array<ArrayBuffer>]>([
  [
    "JSON with numbers, spaces, escapes and members that JavaScript would write otherwise",
    json,
    '{"n": 12345678901234567890,\r\n "a":1.00, "a":2,"\\u00e9":"é\\u0000\\ud800" }\n',
  ],
  ["JSON that is too long for a row", json, long],
  ["a text of JSON's", json, ' "hi" '],
  ["JSON of which nobody says that it is", undefined, "[1.0]"],
  ["a body that is not the JSON that it says", json, '{"a":'],
  ["JSON that is nested too deeply", json, `${"[".repeat(2_000)}${"]".repeat(2_000)}`],
  ["text", "text/plain", "ring\r\n é"],
  ["a form", "application/x-www-form-urlencoded", "a=1&a=2&payload=%7B%7D"],
  ["bytes", "application/octet-stream", new Uint8Array([0, 1, 255])],
  ["what is no UTF-8", json, new Uint8Array([0x22, 0xff, 0x22])],
  ["nothing", json, ""],
])("%s is given back byte by byte", async (_what, contentType, body) => {
  const headers = contentType === undefined ? {} : { "content-type": contentType };
  const { position } = await deliver(body, headers);
  expect(await dataOf(position)).toEqual(Buffer.from(body));
});

test("a body that came in at a server which does not record is given back by each", async () => {
  await using other = await fixture.anotherServer();
  // It hears of the webhook from the database.
  while ((await other.call("GET", "/webhooks")).body.items.length === 0);
  const body = '{ "n": 1.0 }';
  const urls = [fixture.server.url, other.server.url];
  const statuses = await Promise.all(
    urls.map(async (url, at) => {
      const headers = { "content-type": json, "x-id": `from-${at}` };
      return (await fetch(`${url}/hooks/open`, { method: "POST", body, headers })).status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200, 202]));
  for (const [at] of urls.entries()) {
    const found = (): Promise<Answer> => fixture.call("GET", `/events?id=from-${at}`);
    let { items } = (await found()).body;
    while (items.length === 0) ({ items } = (await found()).body);
    for (const url of urls) {
      const response = await fetch(`${url}/api/v1/events/${items[0].position}/data`);
      expect(await response.text()).toBe(body);
    }
  }
});

test("a compressed body is given back as it came", async () => {
  const body = new Uint8Array(gzipSync("{}"));
  const { position } = await deliver(body, { "content-type": json, "content-encoding": "gzip" });
  expect(await dataOf(position)).toEqual(Buffer.from(body));
});

test("what tasks and filters see of it is JSON as ever, and the same said otherwise is the same delivery", async () => {
  const headers = { "content-type": json, "x-id": "same" };
  const { position } = await deliver('{ "a" : 1.0, "b": [ ] }', headers);
  const { body } = await fixture.call("GET", `/events/${position}`);
  expect(body.event.data).toEqual({ a: 1, b: [] });
  expect(await deliver('{"b":[],"a":1}', headers)).toEqual({ position, duplicate: true });
  const other = await deliver('{"a":  2}', headers);
  expect(other.conflict).toBe(position);
  expect((await dataOf(other.position)).toString()).toBe('{"a":  2}');
});

test("the data of other events is given, too, and no entry is none", async () => {
  const event = { specversion: "1.0", type: "a", source: "/s", id: "1", data: { a: 1 } };
  const { body } = await fixture.call("POST", "/events", event);
  expect((await dataOf(body.position)).toString()).toBe('{"a":1}');
  expect((await fixture.call("GET", "/events/999999/data")).body.code).toBe("MILLRACE_EVENT_UNKNOWN");
});
