import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventView } from "@millrace/protocol";
import { startFixture, type Answer, type ServerFixture } from "./server-fixture.ts";

const structured = { "content-type": "application/cloudevents+json; charset=utf-8" };
const batch = { "content-type": "application/cloudevents-batch+json" };

function event(id: string, parts: object = {}): object {
  return { specversion: "1.0", id, source: "/shop", type: "order.placed", ...parts };
}

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

const emit = (body: unknown, headers: object = structured): Promise<Answer> =>
  fixture.call("POST", "/events", body, headers);

/** Reads server-sent events until `count` of them came. */
async function follow(
  query: string,
  count: number,
  headers: object = {},
): Promise<(EventView & { id: string })[]> {
  const stopping = new AbortController();
  const response = await fetch(`${fixture.server.url}/api/v1/events/follow${query}`, {
    signal: stopping.signal,
    headers: { ...headers },
  });
  const events: (EventView & { id: string })[] = [];
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
      const block = text.slice(0, at);
      text = text.slice(at + 2);
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined)
        events.push({ ...(JSON.parse(data) as EventView), id: /^id: (.*)$/m.exec(block)![1]! });
    }
    if (events.length >= count) break;
  }
  stopping.abort();
  return events;
}

describe("one event", () => {
  test("in structured mode is recorded once, and read by its position as it came", async () => {
    const given = event("s1", {
      subject: "order/1",
      time: "2026-01-31T06:00:00.000Z",
      data: { total: 3 },
      trace: "x",
    });
    const first = await emit(given);
    expect([first.status, first.body]).toEqual([200, { position: expect.any(Number) }]);
    expect((await emit(given)).body).toEqual({ ...first.body, duplicate: true });
    const read = await fixture.call("GET", `/events/${first.body.position}`);
    expect(read.body).toMatchObject({
      position: first.body.position,
      lane: "live",
      retention: "normal",
      event: given,
    });
  });

  test("with other content under a known name is a conflict", async () => {
    const { position } = (await emit(event("c1"))).body;
    const again = await emit(event("c1", { data: 1 }));
    expect([again.status, again.body.code]).toEqual([409, "MILLRACE_EVENT_CONFLICT"]);
    expect(again.body.fields).toEqual({ id: "c1", source: "/shop", position });
  });

  test("in binary mode has its attributes in headers", async () => {
    const headers = {
      "ce-specversion": "1.0",
      "ce-id": "b1",
      "ce-source": "/shop",
      "ce-type": "order.placed",
      "ce-subject": "Gr%C3%BC%C3%9Fe",
    };
    const { body } = await emit({ total: 1 }, headers);
    const read = await fixture.call("GET", `/events/${body.position}`);
    expect(read.body.event).toMatchObject({
      subject: "Grüße",
      data: { total: 1 },
      datacontenttype: "application/json",
    });
    const text = await emit("a;b", { ...headers, "ce-id": "b2", "content-type": "text/csv" });
    expect((await fixture.call("GET", `/events/${text.body.position}`)).body.event.data).toBe("a;b");
    const bytes = await emit("\u0001", { ...headers, "ce-id": "b3", "content-type": "image/png" });
    expect((await fixture.call("GET", `/events/${bytes.body.position}`)).body.event.data_base64).toBe("AQ==");
  });

  test("that is called plain JSON is read by its shape: an object is one event, a list is a batch", async () => {
    const plain = { "content-type": "application/json" };
    const one = await emit(event("j1", { data: { total: 3 } }), plain);
    expect([one.status, one.body]).toEqual([200, { position: expect.any(Number) }]);
    const both = await emit([event("j1", { data: { total: 3 } }), { id: "j2" }], plain);
    expect(both.body).toMatchObject({ items: [{ duplicate: true }, { error: {} }], rejected: 1 });
    expect((await emit({ total: 3 }, plain)).body).toMatchObject({ code: "MILLRACE_EVENT_INVALID" });
  });

  test("of which a compressed body is told so, and is not kept as bytes", async () => {
    const headers = { "ce-specversion": "1.0", "ce-id": "z", "ce-source": "/z", "ce-type": "t" };
    const answer = await emit("x", { ...headers, "content-type": "image/png", "content-encoding": "br" });
    expect(answer.body.detail).toContain('compressed (content-encoding "br")');
    const plain = await emit("x", {
      ...headers,
      "content-type": "image/png",
      "content-encoding": "identity",
    });
    expect(plain.status).toBe(200);
  });

  test("with large data is kept whole; lists tell its size", async () => {
    const { body } = await emit(event("large", { type: "large", data: "x".repeat(100_000) }));
    expect((await fixture.call("GET", `/events/${body.position}`)).body.event.data.length).toBe(100_000);
    const [listed] = (await fixture.call("GET", "/events?type=large")).body.items;
    expect([listed.dataBytes, listed.event.data]).toEqual([100_002, undefined]);
  });

  test.each<[string, unknown, object, number, string]>([
    ["no JSON", "{", structured, 422, "MILLRACE_EVENT_INVALID"],
    ["no event", { specversion: "1.0" }, structured, 422, "MILLRACE_EVENT_INVALID"],
    ["an unknown content type", event("x"), { "content-type": "text/plain" }, 422, "MILLRACE_EVENT_INVALID"],
    [
      "too much data",
      event("x", { data: "x".repeat(1_100_000) }),
      structured,
      413,
      "MILLRACE_EVENT_TOO_LARGE",
    ],
    [
      "a compressed body",
      event("x"),
      { ...structured, "content-encoding": "gzip" },
      422,
      "MILLRACE_EVENT_INVALID",
    ],
    ["10 MB", event("x", { data: "x".repeat(10_000_000) }), structured, 413, "MILLRACE_EVENT_TOO_LARGE"],
    ["20 MB", event("x", { data: "x".repeat(20_000_000) }), structured, 413, "MILLRACE_EVENT_TOO_LARGE"],
  ])("%s is refused", async (_what, body, headers, status, code) => {
    const answer = await emit(body, headers);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("bytes that are not UTF-8 are refused", async () => {
    const bytes = Buffer.concat([
      Buffer.from(JSON.stringify(event("u1")).slice(0, -1)),
      Buffer.from([0xff, 0x7d]),
    ]);
    const response = await fetch(`${fixture.server.url}/api/v1/events`, {
      method: "POST",
      headers: structured,
      body: bytes,
    });
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
      422,
      "The body is not valid UTF-8.",
    ]);
  });
});

describe("what JSON can say and the log can't keep", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  const raw = (id: string, data: string): Promise<Answer> =>
    emit(`{"specversion":"1.0","type":"t","source":"/json","id":"${id}","data":${data}}`);

  test("data that nests as deeply as it may is kept; deeper is refused, however deep", async () => {
    expect((await raw("n1000", nested(1_000))).status).toBe(200);
    for (const depth of [1_001, 7_000, 200_000]) {
      const { status, body } = await raw(`n${depth}`, nested(depth));
      expect([status, body.code, body.fields]).toEqual([
        422,
        "MILLRACE_EVENT_INVALID",
        { path: "/data", depthMax: 1_000 },
      ]);
    }
  });

  test("a number beyond what is read is refused, one that looks so is not", async () => {
    for (const [at, number] of ["1e400", "-1E+309", "9".repeat(310)].entries())
      expect((await raw(`h${at}`, `{"a":[${number}]}`)).body).toMatchObject({
        code: "MILLRACE_EVENT_INVALID",
        detail: expect.stringContaining("a number beyond 1.8e308"),
      });
    const kept = { a: 1e300, b: "1e400", c: "9".repeat(400), d: null, e: 1e-300 };
    const { body } = await raw("h9", JSON.stringify(kept));
    expect((await fixture.call("GET", `/events/${body.position}`)).body.event.data).toEqual(kept);
  });

  test("of members of one name the last counts, and names of objects' own harm nothing", async () => {
    const { body } = await raw("d1", '{"a":1,"a":2,"__proto__":{"x":1},"constructor":3}');
    const { event: read } = (await fixture.call("GET", `/events/${body.position}`)).body;
    expect(JSON.stringify(read.data)).toBe('{"a":2,"__proto__":{"x":1},"constructor":3}');
  });

  test("headers that are percent-encoded wrongly are refused by their name", async () => {
    const headers = {
      "ce-specversion": "1.0",
      "ce-source": "/s",
      "ce-type": "t",
      "content-type": "text/plain",
    };
    for (const id of ["%zz", "%ff%fe", "a%00b", "%"])
      expect((await emit("x", { ...headers, "ce-id": id })).body).toMatchObject({
        code: "MILLRACE_EVENT_INVALID",
        fields: { path: "/id" },
      });
  });
});

describe("a batch", () => {
  test("is answered item by item, in its order", async () => {
    const large = event("i2", { data: "y".repeat(30_000) });
    const { status, body } = await emit(
      [event("i1"), { id: 7 }, large, event("i1"), event("i1", { data: 1 }), event("i3")],
      batch,
    );
    expect(status).toBe(200);
    const first = body.items[0].position;
    expect(body).toMatchObject({
      rejected: 2,
      items: [
        { position: first },
        { error: { code: "MILLRACE_EVENT_INVALID", fields: { path: "/id" } } },
        { position: first + 1 },
        { position: first, duplicate: true },
        { error: { code: "MILLRACE_EVENT_CONFLICT" } },
        { position: first + 2 },
      ],
    });
  });

  test("may be empty, and has a bound", async () => {
    expect((await emit([], batch)).body).toEqual({ items: [], rejected: 0 });
    const many = await emit(
      Array.from({ length: 1_001 }, (_, at) => event(`m${at}`)),
      batch,
    );
    expect([many.status, many.body.code]).toEqual([422, "MILLRACE_EVENT_INVALID"]);
    expect((await emit({ events: [] }, batch)).status).toBe(422);
  });
});

test("more than can be recorded is refused with 429, and what was taken before is recorded", async () => {
  await using own = await startFixture();
  const take = (from: number, count: number): Promise<Answer> => {
    const events = Array.from({ length: count }, (_, at) => event(`e${from + at}`));
    return own.call("POST", "/events", events, batch);
  };
  await take(0, 1);
  // Whoever appends waits for this row.
  const client = await own.database.database.api.connect();
  await client.query("begin; select from log_head for update");
  const answers = Array.from({ length: 25 }, (_, at) => take(1 + at * 1_000, 1_000));
  // Nothing is recorded now: only a refusal can be answered.
  const refused = await Promise.race(answers);
  expect([refused.status, refused.body.code]).toEqual([429, "MILLRACE_EVENTS_OVERLOADED"]);
  expect(refused.headers.get("retry-after")).toBe("1");
  await client.query("commit");
  client.release();
  const all = await Promise.all(answers);
  const taken = all.filter(({ status }) => status === 200);
  expect(taken.length).toBeGreaterThanOrEqual(20);
  const [newest] = (await own.call("GET", "/events?source=/shop&limit=1")).body.items;
  expect(newest.position).toBe(1 + taken.length * 1_000);
});

describe("lists", () => {
  test("are newest first, filtered, in pages", async () => {
    const source = "/lists";
    const events = Array.from({ length: 25 }, (_, at) =>
      event(`l${at}`, { source, type: at % 2 === 0 ? "even" : "odd", subject: `s${at % 5}` }),
    );
    await emit(events, batch);
    const ids = (answer: Answer): string[] => answer.body.items.map((item: EventView) => item.event.id);
    const first = await fixture.call("GET", "/events?source=/lists&limit=10");
    expect(ids(first)).toEqual(Array.from({ length: 10 }, (_, at) => `l${24 - at}`));
    const second = await fixture.call(
      "GET",
      `/events?source=/lists&limit=20&cursor=${first.body.nextCursor}`,
    );
    expect(ids(second)).toEqual(Array.from({ length: 15 }, (_, at) => `l${14 - at}`));
    expect(second.body.nextCursor).toBeUndefined();
    expect(ids(await fixture.call("GET", "/events?source=/lists&type=odd&subject=s1"))).toEqual([
      "l21",
      "l11",
      "l1",
    ]);
    expect(ids(await fixture.call("GET", "/events?type=none"))).toEqual([]);
    const position = first.body.items[2].position as number;
    expect(ids(await fixture.call("GET", `/events?source=/lists&after=${position}`))).toEqual(["l24", "l23"]);
    const { recordedAt } = first.body.items[0];
    expect(ids(await fixture.call("GET", `/events?source=/lists&since=${recordedAt}`)).length).toBe(25);
    expect(ids(await fixture.call("GET", `/events?source=/lists&until=${recordedAt}`))).toEqual([]);
  });

  test("find an event by its id, with or without its source", async () => {
    await emit([event("same", { source: "/a" }), event("same", { source: "/b" })], batch);
    const sources = async (query: string): Promise<string[]> =>
      (await fixture.call("GET", `/events?id=same${query}`)).body.items.map(
        (item: EventView) => item.event.source,
      );
    expect(await sources("")).toEqual(["/b", "/a"]);
    expect(await sources("&source=/a")).toEqual(["/a"]);
    expect(await sources("&source=/none")).toEqual([]);
  });

  test("refuse what is wrong in the query; an entry that is not there is told", async () => {
    expect((await fixture.call("GET", "/events?since=yesterday")).body.code).toBe("MILLRACE_REQUEST_INVALID");
    expect((await fixture.call("GET", "/events?typ=x")).body.detail).toContain("did you mean type?");
    for (const position of ["99999999", "0", "x"])
      expect((await fixture.call("GET", `/events/${position}`)).body.code).toBe("MILLRACE_EVENT_UNKNOWN");
  });
});

describe("following", () => {
  test("begins where it is told, and goes on live", async () => {
    const { position } = (await emit(event("f0", { source: "/follow" }))).body;
    const followed = follow(`?source=/follow&after=${position - 1}`, 4);
    for (const id of ["f1", "other", "f2"])
      await emit(event(id, id === "other" ? {} : { source: "/follow" }));
    await emit([event("f3", { source: "/follow" }), event("f2", { source: "/follow" })], batch);
    const events = await followed;
    expect(events.map(({ event: { id } }) => id)).toEqual(["f0", "f1", "f2", "f3"]);
    expect(events.every(({ id, position: at }) => id === String(at))).toBe(true);
    const resumed = await follow("?source=/follow", 2, { "last-event-id": events[1]!.id });
    expect(resumed.map(({ event: { id } }) => id)).toEqual(["f2", "f3"]);
  });

  test("begins at the log's end, and not beyond it", async () => {
    const { position } = (await emit(event("e0", { source: "/end" }))).body;
    const followed = follow(`?source=/end&after=${position}`, 1);
    await emit(event("e1", { source: "/end" }));
    expect((await followed).map(({ event: { id } }) => id)).toEqual(["e1"]);
    const beyond = position + 1_000;
    for (const [query, headers] of [
      [`?after=${beyond}`, {}],
      ["", { "last-event-id": String(beyond) }],
    ] as const) {
      const refused = await fixture.call("GET", `/events/follow${query}`, undefined, headers);
      expect(refused).toMatchObject({ status: 400, body: { code: "MILLRACE_REQUEST_INVALID" } });
      expect(refused.body.fields).toMatchObject({ after: beyond, head: expect.any(Number) });
    }
  });

  test("hears on one server what another one took", async () => {
    await using second = await fixture.anotherServer();
    const { position } = (await emit(event("two0"))).body;
    const followed = follow(`?type=two&after=${position}`, 2);
    const taken: Answer[] = [];
    for (const id of ["two1", "two2"])
      taken.push(await second.call("POST", "/events", event(id, { type: "two" }), structured));
    expect(taken.map(({ status }) => status).every((status) => status === 202 || status === 200)).toBe(true);
    expect((await followed).map(({ event: { id } }) => id)).toEqual(["two1", "two2"]);
  });
});
