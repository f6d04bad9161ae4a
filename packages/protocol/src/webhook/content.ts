/** What a delivery's body is: data for the log, and what a mapping sees of it. */
import { isUtf8 } from "node:buffer";
import {
  contentKindOf,
  hasInfiniteNumber,
  isNestedWithin,
  jsonDepthMax,
  unreachable,
  type Json,
} from "@millrace/core";

export interface DeliveryContent {
  /** JSON as such, else the text, else base64. */
  readonly data: Json;
  readonly isBinary: boolean;
  /** `data`, or the fields of a form, where a field that is JSON is read. */
  readonly body: Json;
  /** It is not what its content type says. */
  readonly fault: string | undefined;
  /** `data` as it came, where that is JSON: its numbers, spaces and repeated members are kept. */
  readonly json?: string;
}

const formType = "application/x-www-form-urlencoded";

/** The media type, without its parameters. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(";", 1)[0]!.trim().toLowerCase();
}

export function readContent(
  {
    "content-type": contentType,
    "content-encoding": encoding,
  }: { readonly [name: string]: string | undefined },
  body: Buffer,
): DeliveryContent {
  if (body.length === 0) return { data: null, isBinary: false, body: null, fault: undefined };
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity")
    return bytes(body, `the body is compressed (content-encoding ${JSON.stringify(encoding.slice(0, 50))})`);
  if (mediaTypeOf(contentType) === formType) return readForm(body);
  const kind = contentKindOf(contentType);
  switch (kind) {
    case "json":
      return readJson(contentType, body);
    case "text":
      return raw(body, isUtf8(body) ? undefined : "the body is not valid UTF-8");
    case "bytes":
      return bytes(body, undefined);
    default:
      return unreachable(kind);
  }
}

function readJson(contentType: string | undefined, body: Buffer): DeliveryContent {
  if (!isUtf8(body)) return bytes(body, "the body is not valid UTF-8");
  try {
    const text = body.toString("utf8");
    const data = JSON.parse(text) as Json;
    if (!isNestedWithin(data, jsonDepthMax))
      return raw(body, `the body is nested deeper than ${jsonDepthMax} levels`);
    if (hasInfiniteNumber(text, data)) return raw(body, "the body has a number beyond 1.8e308");
    return { data, isBinary: false, body: data, fault: undefined, json: text };
  } catch {
    // Nobody said that it is.
    return raw(body, contentType === undefined ? undefined : "the body is not JSON");
  }
}

function readForm(body: Buffer): DeliveryContent {
  if (!isUtf8(body)) return bytes(body, "the body is not valid UTF-8");
  const text = body.toString("utf8");
  const fields: { [name: string]: Json } = {};
  for (const [name, value] of new URLSearchParams(text)) {
    // The first of several; and a form can't reach an object's own names.
    if (!Object.hasOwn(fields, name))
      Object.defineProperty(fields, name, { value: fieldOf(value), enumerable: true });
  }
  return { data: text, isBinary: false, body: fields, fault: undefined };
}

/** GitHub's and Slack's forms have one field with all of it as JSON. */
function fieldOf(text: string): Json {
  if (!text.startsWith("{")) return text;
  try {
    const value = JSON.parse(text) as Json;
    return isNestedWithin(value, jsonDepthMax) ? value : text;
  } catch {
    return text;
  }
}

function raw(body: Buffer, fault: string | undefined): DeliveryContent {
  if (!isUtf8(body)) return bytes(body, fault);
  const text = body.toString("utf8");
  return { data: text, isBinary: false, body: text, fault };
}

function bytes(body: Buffer, fault: string | undefined): DeliveryContent {
  const data = body.toString("base64");
  return { data, isBinary: true, body: data, fault };
}
