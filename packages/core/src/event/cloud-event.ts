/**
 * Reads and writes CloudEvents 1.0 (https://cloudevents.io): JSON format (structured and batch), and binary HTTP mode.
 * What is not one is refused with MILLRACE_EVENT_INVALID, whose field `path` says where.
 */
import { MillraceError } from "../error/millrace-error.ts";
import type { Json } from "../json.ts";
import {
  eventBatchMax,
  eventExtensionNameMax,
  eventExtensionsMax,
  eventIdMax,
  eventSourceMax,
  eventSubjectMax,
  eventTextMax,
  eventTypeMax,
} from "../limits.ts";
import { liveLane, type EventDraft, type EventExtension, type LogEvent } from "./event.ts";
import { formatEventTime, parseEventTime } from "./time.ts";

/** A CloudEvent in JSON: the attributes, the data, and extension attributes under names of their own. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly data?: Json;
  readonly data_base64?: string;
  readonly [extension: string]: Json | undefined;
}

export const cloudEventType = "application/cloudevents+json";
export const cloudEventBatchType = "application/cloudevents-batch+json";

/** The members of a batch; each is read by `parseCloudEvent` on its own, so that one bad one harms no other. */
export function parseCloudEventBatch(value: Json): readonly Json[] {
  if (!Array.isArray(value)) throw invalid("", `a list of events, and found ${kindOf(value)}`);
  if (value.length > eventBatchMax)
    throw invalid("", `at most ${eventBatchMax} events at once, and found ${value.length}`);
  return value as readonly Json[];
}

type Mutable = { -readonly [name in keyof EventDraft]: EventDraft[name] };

const noExtensions: EventDraft["extensions"] = {};

/** Reads an event in the JSON format. */
export function parseCloudEvent(value: Json): EventDraft {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid("", `an event as a JSON object, and found ${kindOf(value)}`);
  const members = value as { readonly [name: string]: Json };
  const draft = emptyDraft();
  let specversion: Json | undefined;
  let extensions: { [name: string]: EventExtension } | undefined;
  for (const name in members) {
    const member = members[name]!;
    // Absent and null are one.
    if (member === null) continue;
    switch (name) {
      case "specversion":
        specversion = member;
        break;
      case "data":
        if (draft.isBinary) throw invalid("/data", "either data or data_base64");
        draft.data = { value: member };
        break;
      case "data_base64":
        if (draft.data.value !== null) throw invalid("/data_base64", "either data or data_base64");
        draft.data = { value: checkBase64(member) };
        draft.isBinary = true;
        break;
      default:
        if (!setAttribute(draft, name, member)) addExtension((extensions ??= {}), name, member);
    }
  }
  return finish(draft, specversion, extensions);
}

/** What an HTTP request in binary mode carries as data, as `contentKindOf` its content type says. */
export type BinaryModeData =
  | { readonly kind: "json"; readonly value: Json }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly base64: string }
  | { readonly kind: "none" };

/** How the body of a request in binary mode is to be read. */
export function contentKindOf(contentType: string | undefined): "json" | "text" | "bytes" {
  if (contentType === undefined) return "json";
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type.endsWith("/json") || type.endsWith("+json")) return "json";
  return type.startsWith("text/") || type.endsWith("/xml") || type.endsWith("+xml") ? "text" : "bytes";
}

/** Reads an event in binary mode: attributes in headers `ce-…` (names in lower case), data in the body. */
export function parseBinaryModeEvent(
  headers: { readonly [name: string]: string | readonly string[] | undefined },
  data: BinaryModeData,
): EventDraft {
  const draft = emptyDraft();
  let specversion: string | undefined;
  let extensions: { [name: string]: EventExtension } | undefined;
  for (const header in headers) {
    if (!header.startsWith("ce-")) continue;
    const name = header.slice(3);
    const text = headers[header];
    if (typeof text !== "string") throw invalid(`/${name}`, "one header of this name");
    const value = decodeHeader(name, text);
    if (name === "specversion") specversion = value;
    else if (name === "datacontenttype") throw invalid(`/${name}`, "the header content-type instead");
    else if (name === "data")
      throw invalid(`/${name}`, "the data as the body, and no attribute of this name");
    else if (!setAttribute(draft, name, value)) addExtension((extensions ??= {}), name, value);
  }
  const contentType = headers["content-type"];
  if (typeof contentType === "string") setAttribute(draft, "datacontenttype", contentType);
  if (data.kind === "json") draft.data = { value: data.value };
  else if (data.kind === "text") draft.data = { value: data.text };
  else if (data.kind === "bytes") {
    draft.data = { value: data.base64 };
    draft.isBinary = true;
  }
  return finish(draft, specversion, extensions);
}

/** Writes an entry of the log as a CloudEvent. Data that rests in the blob store and is not loaded is left out. */
export function toCloudEvent(event: LogEvent): CloudEvent {
  const { value } = event.data;
  const data: Partial<CloudEvent> =
    value === undefined || value === null
      ? {}
      : event.isBinary
        ? { data_base64: value as string }
        : { data: value };
  return {
    specversion: "1.0",
    id: event.id,
    source: event.source,
    type: event.type,
    ...(event.subject === undefined ? {} : { subject: event.subject }),
    time: formatEventTime(event.time),
    ...(event.contentType === undefined ? {} : { datacontenttype: event.contentType }),
    ...(event.dataSchema === undefined ? {} : { dataschema: event.dataSchema }),
    ...event.extensions,
    ...data,
  };
}

function emptyDraft(): Mutable {
  return {
    lane: liveLane,
    source: "",
    id: "",
    type: "",
    subject: undefined,
    time: undefined,
    data: { value: null },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: noExtensions,
    invalid: undefined,
  };
}

/** False when the name is no attribute of the specification. */
function setAttribute(draft: Mutable, name: string, value: Json): boolean {
  switch (name) {
    case "id":
      draft.id = checkText(name, value, eventIdMax);
      return true;
    case "source":
      draft.source = checkText(name, value, eventSourceMax);
      if (/[\s<>"{}|\\^`]/.test(draft.source)) throw invalid("/source", "a URI or a path, such as /shop");
      return true;
    case "type":
      draft.type = checkText(name, value, eventTypeMax);
      return true;
    case "subject":
      draft.subject = checkText(name, value, eventSubjectMax);
      return true;
    case "time":
      draft.time = parseEventTime(checkText(name, value, eventTextMax));
      if (draft.time === undefined)
        throw invalid("/time", "a time as RFC 3339 has it, such as 2026-01-31T06:00:00Z");
      return true;
    case "datacontenttype":
      draft.contentType = checkText(name, value, eventTextMax);
      if (!/^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+\s*(;.*)?$/.test(draft.contentType))
        throw invalid("/datacontenttype", "a media type, such as application/json");
      return true;
    case "dataschema":
      draft.dataSchema = checkText(name, value, eventTextMax);
      if (!/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(draft.dataSchema))
        throw invalid("/dataschema", "a URI with its scheme, such as https://example.com/order.json");
      return true;
    default:
      return false;
  }
}

function addExtension(extensions: { [name: string]: EventExtension }, name: string, value: Json): void {
  const path = `/${name.slice(0, 100)}`;
  if (!/^[a-z0-9]+$/.test(name) || name.length > eventExtensionNameMax)
    throw invalid(
      path,
      `only names of ${eventExtensionNameMax} lower-case letters and digits at most; members of your own belong into data`,
    );
  if (Object.keys(extensions).length === eventExtensionsMax)
    throw invalid(path, `at most ${eventExtensionsMax} extension attributes`);
  switch (typeof value) {
    case "string":
      extensions[name] = checkText(name, value, eventTextMax, 0);
      return;
    case "number":
      if (!Number.isInteger(value) || Math.abs(value) > 2_147_483_648)
        throw invalid(path, "a whole number of 32 bits");
      extensions[name] = value;
      return;
    case "boolean":
      extensions[name] = value;
      return;
    default:
      throw invalid(path, `a text, whole number or boolean, and found ${kindOf(value)}`);
  }
}

function finish(
  draft: Mutable,
  specversion: Json | undefined,
  extensions: { [name: string]: EventExtension } | undefined,
): EventDraft {
  if (specversion !== "1.0")
    throw invalid(
      "/specversion",
      `"1.0"${specversion === undefined ? "" : `, and found ${JSON.stringify(specversion).slice(0, 50)}`}`,
    );
  if (draft.id === "") throw missing("id");
  if (draft.source === "") throw missing("source");
  if (draft.type === "") throw missing("type");
  if (extensions) draft.extensions = extensions;
  return draft;
}

/** The specification allows no control characters and no halves of characters. */
function checkText(name: string, value: Json, lengthMax: number, lengthMin = 1): string {
  if (typeof value !== "string") throw invalid(`/${name}`, `a text, and found ${kindOf(value)}`);
  if (value.length > lengthMax || value.length < lengthMin)
    throw invalid(`/${name}`, `${lengthMin} to ${lengthMax} characters, and found ${value.length}`);
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value) || !value.isWellFormed())
    throw invalid(`/${name}`, "no control characters and no halves of characters");
  return value;
}

function checkBase64(value: Json): string {
  if (typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value))
    return value;
  throw invalid("/data_base64", "a text in base64 (RFC 4648)");
}

/**
 * Header values are percent-encoded UTF-8, maybe in quotes. Senders that leave the encoding out, as people with curl do, send
 * UTF-8, too; HTTP's readers hand over its bytes as characters.
 */
function decodeHeader(name: string, text: string): string {
  const bare =
    text.length > 1 && text.startsWith('"') && text.endsWith('"')
      ? text.slice(1, -1).replaceAll(/\\(.)/g, "$1")
      : text;
  try {
    const encoded = bare.replaceAll(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
    return encoded.includes("%") ? decodeURIComponent(encoded) : encoded;
  } catch {
    throw invalid(`/${name}`, "percent-encoded UTF-8");
  }
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function missing(name: string): MillraceError {
  return new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `The event has no "${name}"; every event needs one.`,
    fields: { path: `/${name}`, expected: "a text" },
  });
}

function invalid(path: string, expected: string): MillraceError {
  const where = path === "" ? "This is not a CloudEvent" : `The event's "${path.slice(1)}" is not valid`;
  return new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `${where}: expected ${expected}.`,
    fields: { path, expected },
  });
}
