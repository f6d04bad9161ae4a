import { describe, expect, test } from "vitest";
import {
  contentKindOf,
  parseBinaryModeEvent,
  parseCloudEvent,
  parseCloudEventBatch,
  toCloudEvent,
} from "../../src/event/cloud-event.ts";
import type { EventDraft, LogEvent } from "../../src/event/event.ts";
import type { Json } from "../../src/json.ts";

const plain = { specversion: "1.0", id: "1", source: "/shop", type: "order.placed" };

function fault(read: () => unknown): unknown {
  try {
    read();
    return "accepted";
  } catch (error) {
    const { code, fields } = error as { code: string; fields: { path: string } };
    return [code, fields.path];
  }
}

function recorded(draft: EventDraft): LogEvent {
  return {
    ...draft,
    workspace: 1,
    position: 7,
    recordedAt: 1_800_000_000_000,
    time: draft.time ?? 1_800_000_000_000,
  };
}

describe("the JSON format", () => {
  test("an event with everything is read, and written as it was", () => {
    const event = {
      ...plain,
      subject: "order/7",
      time: "2026-01-31T06:00:00.123456Z",
      datacontenttype: "application/json",
      dataschema: "https://example.com/order.json",
      traceparent: "00-abc",
      hops: 3,
      test: true,
      data: { total: 12.5, items: ["a", null] },
    };
    const draft = parseCloudEvent(event);
    expect(draft).toMatchObject({ lane: "live", extensions: { traceparent: "00-abc", hops: 3, test: true } });
    expect(toCloudEvent(recorded(draft))).toEqual(event);
  });

  test("what is absent or null has no value; the time is then the record's", () => {
    const draft = parseCloudEvent({ ...plain, subject: null, data: null });
    expect(draft).toMatchObject({
      subject: undefined,
      time: undefined,
      data: { value: null },
      extensions: {},
    });
    expect(toCloudEvent(recorded(draft))).toEqual({ ...plain, time: "2027-01-15T08:00:00.000Z" });
  });

  test("bytes stay bytes", () => {
    const event = {
      ...plain,
      time: "2026-01-31T06:00:00.000Z",
      datacontenttype: "image/png",
      data_base64: "AAEC/w==",
    };
    expect(toCloudEvent(recorded(parseCloudEvent(event)))).toEqual(event);
  });

  const refused: readonly (readonly [why: string, event: Json, path: string])[] = [
    ["no object", [], ""],
    ["no version", { ...plain, specversion: null }, "/specversion"],
    ["another version", { ...plain, specversion: "0.3" }, "/specversion"],
    ["no id", { ...plain, id: "" }, "/id"],
    ["a number as id", { ...plain, id: 7 }, "/id"],
    ["a long id", { ...plain, id: "x".repeat(257) }, "/id"],
    ["no source", { specversion: "1.0", id: "1", type: "t" }, "/source"],
    ["a source that is no URI", { ...plain, source: "the shop" }, "/source"],
    ["no type", { specversion: "1.0", id: "1", source: "/s" }, "/type"],
    ["a control character", { ...plain, subject: "a\u0000b" }, "/subject"],
    ["half of a character", { ...plain, subject: "a\ud800b" }, "/subject"],
    ["an empty subject", { ...plain, subject: "" }, "/subject"],
    ["a day that is none", { ...plain, time: "2026-02-30T00:00:00Z" }, "/time"],
    ["a time without a zone", { ...plain, time: "2026-02-03T00:00:00" }, "/time"],
    ["a schema without a scheme", { ...plain, dataschema: "order.json" }, "/dataschema"],
    ["no media type", { ...plain, datacontenttype: "json" }, "/datacontenttype"],
    ["an extension with capitals", { ...plain, orderId: "x" }, "/orderId"],
    ["an extension with content", { ...plain, order: { id: 1 } }, "/order"],
    ["a fraction as extension", { ...plain, order: 1.5 }, "/order"],
    ["data twice", { ...plain, data: 1, data_base64: "AA==" }, "/data_base64"],
    ["bytes that are none", { ...plain, data_base64: "not base64" }, "/data_base64"],
    [
      "a name of JavaScript's",
      JSON.parse('{"specversion":"1.0","id":"1","source":"/s","type":"t","__proto__":"x"}') as Json,
      "/__proto__",
    ],
  ];
  test.each(refused)("%s is refused where it stands", (_why, event, path) => {
    expect(fault(() => parseCloudEvent(event))).toEqual(["MILLRACE_EVENT_INVALID", path]);
  });

  test("more extensions than the bound are refused", () => {
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`x${at}`, at]));
    expect(fault(() => parseCloudEvent({ ...plain, ...many }))).toEqual(["MILLRACE_EVENT_INVALID", "/x32"]);
  });

  test("a batch is a list of a bounded length", () => {
    expect(parseCloudEventBatch([plain, 1])).toEqual([plain, 1]);
    expect(fault(() => parseCloudEventBatch({ events: [] }))).toEqual(["MILLRACE_EVENT_INVALID", ""]);
    expect(fault(() => parseCloudEventBatch(Array.from({ length: 1_001 }, () => plain)))).toEqual([
      "MILLRACE_EVENT_INVALID",
      "",
    ]);
  });
});

describe("binary mode", () => {
  const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "order.placed" };

  test("attributes come from headers, data from the body", () => {
    const draft = parseBinaryModeEvent(
      {
        ...headers,
        "ce-subject": "Gr%C3%BC%C3%9Fe",
        "ce-hops": "3",
        "content-type": "application/json",
        host: "x",
      },
      { kind: "json", value: { n: 1 } },
    );
    expect(draft).toMatchObject({
      subject: "Grüße",
      extensions: { hops: "3" },
      contentType: "application/json",
      data: { value: { n: 1 } },
    });
  });

  test("a header in plain UTF-8, which Node hands over byte by byte, is read as such", () => {
    const bytes = Buffer.from("Grüße 東京", "utf8").toString("latin1");
    expect(parseBinaryModeEvent({ ...headers, "ce-subject": bytes }, { kind: "none" }).subject).toBe(
      "Grüße 東京",
    );
    const latin1 = { ...headers, "ce-subject": "Gr\u00fc\u00dfe" };
    expect(() => parseBinaryModeEvent(latin1, { kind: "none" })).toThrow(/percent-encoded UTF-8/);
  });

  test("the content type says how a body is read", () => {
    expect(contentKindOf("application/vnd.shop+json; charset=utf-8")).toBe("json");
    expect(contentKindOf(undefined)).toBe("json");
    expect(contentKindOf("text/csv")).toBe("text");
    expect(contentKindOf("image/png")).toBe("bytes");
    const draft = parseBinaryModeEvent(headers, { kind: "bytes", base64: "AAE=" });
    expect(draft).toMatchObject({ isBinary: true, data: { value: "AAE=" } });
    expect(parseBinaryModeEvent(headers, { kind: "none" }).data).toEqual({ value: null });
  });

  test.each([
    [{ "ce-id": "%zz" }, "/id"],
    [{ "ce-source": undefined }, "/source"],
    [{ "ce-datacontenttype": "text/plain" }, "/datacontenttype"],
    [{ "ce-data": "1" }, "/data"],
  ])("%j is refused", (change, path) => {
    const all = Object.fromEntries(
      Object.entries({ ...headers, ...change }).filter(([, text]) => text !== undefined),
    );
    expect(fault(() => parseBinaryModeEvent(all, { kind: "none" }))).toEqual([
      "MILLRACE_EVENT_INVALID",
      path,
    ]);
  });
});
