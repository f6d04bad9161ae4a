import { statSync, readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { inspect } from "node:util";
import { findJsonFault, formatPath, MillraceError, unreachable, type Json } from "@millrace/core";
import type { ArtifactType, LogLevel } from "@millrace/protocol";
import type {
  ArtifactContent,
  Connection,
  FiringReader,
  LogFields,
  TaskContext,
  TaskLog,
} from "@millrace/sdk";
import { limits } from "../limits.ts";
import type { FromChild, RunAttempt } from "../pool/child-message.ts";
import { makeAssetReporter } from "./asset-report.ts";
import { connectionVariable, parseConnection } from "./connection.ts";
import type { Emitter } from "./emit.ts";
import type { OutputCapture } from "./capture.ts";
import { makeOperationCalls, type OperationCallParts } from "./operation-calls.ts";
import { emitPlaceHere } from "./step-scope.ts";
import type { Values } from "./value.ts";

export interface ContextParts {
  readonly run: RunAttempt;
  readonly params: unknown;
  readonly abort: AbortController;
  readonly capture: Pick<OutputCapture, "admit" | "addLine">;
  readonly values: Values;
  readonly emitter: Emitter;
  readonly calls: Pick<OperationCallParts, "project" | "folder" | "operations">;
  readonly firing: FiringReader;
  /** Sends, as long as the attempt lasts: what comes later belongs to nobody. */
  readonly post: (message: FromChild) => void;
}

/** What the task function of one attempt gets. */
export function makeContext(parts: ContextParts): TaskContext {
  const { run } = parts;
  return {
    run: {
      id: run.runId,
      pipeline: run.pipeline,
      generation: run.generation,
      ...(run.partition === undefined ? {} : { partition: run.partition }),
    },
    node: run.node,
    item: run.item,
    index: run.item === "" ? undefined : Number(run.item.slice(run.item.lastIndexOf(".") + 1)),
    attempt: run.attempt,
    dispatch: run.dispatch,
    idempotencyKey: run.idempotencyKey,
    signal: parts.abort.signal,
    log: makeLog(parts),
    firing: parts.firing,
    params: parts.params,
    progress: (fraction: unknown, message?: unknown) => {
      const bounded = Math.min(1, Math.max(0, Number(fraction) || 0));
      const text = message === undefined ? {} : { message: textOf(message).slice(0, limits.logLineBytesMax) };
      parts.post({ kind: "progress", fraction: bounded, ...text });
    },
    ...makeOperationCalls({ run, signal: parts.abort.signal, values: parts.values, ...parts.calls }),
    emit: async (event, options) => parts.emitter.emit(event, options, emitPlaceHere(event)),
    asset: (asset) => makeAssetReporter(run, parts.emitter, asset),
    // oxlint-disable-next-line typescript/require-await
    artifact: async (name, content) => keepArtifact(parts, name, content),
    connection: (name) => findConnection(run, name),
  };
}

function makeLog(parts: ContextParts): TaskLog {
  // Plain JavaScript passes anything: a log line must not fail the task.
  const write = (level: LogLevel, message: unknown, fields: LogFields | undefined): void => {
    const text = textOf(message);
    const kept = fields === undefined ? undefined : carriedFields(fields);
    const size = Buffer.byteLength(text) + (kept === undefined ? 0 : JSON.stringify(kept).length);
    if (!parts.capture.admit(size)) return;
    parts.capture.addLine();
    parts.post({
      kind: "log",
      level,
      text: text.slice(0, limits.logFrameBytesMax),
      ...(kept ? { fields: kept } : {}),
    });
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

/** What JSON can't carry is written as text. */
function carriedFields(fields: LogFields): { readonly [name: string]: Json } {
  const kept: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const carried = findJsonFault(value) ? inspect(value) : value;
    const size = JSON.stringify(carried).length;
    kept[name] = size > limits.logFrameBytesMax ? `(${size} bytes, left out)` : carried;
  }
  return kept;
}

function keepArtifact(parts: ContextParts, name: string, content: ArtifactContent): void {
  refuseWrongArtifact(name, content);
  const { bytes, type, mediaType } = readArtifact(name, content);
  if (bytes.length > limits.artifactBytesMax) throw artifactTooLarge(name, bytes.length);
  const written = parts.values.write(bytes);
  parts.post({ kind: "artifact", name, type, mediaType, ...written });
}

const isText = (value: unknown): boolean => typeof value === "string";
const isRow = (value: unknown): boolean =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** What each kind of artifact must be: plain JavaScript passes anything. */
const artifactShapes: {
  readonly [kind: string]: readonly [is: (value: unknown) => boolean, what: string];
} = {
  markdown: [isText, "a text"],
  table: [(value) => Array.isArray(value) && value.every(isRow), "a list of objects"],
  image: [(value) => value instanceof Uint8Array, "bytes (a Buffer or Uint8Array)"],
  file: [isText, "the path of a file"],
  html: [isText, "a text"],
};

function refuseWrongArtifact(name: unknown, content: unknown): void {
  const wrong = (fault: string): MillraceError =>
    new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `artifact ${inspect(name)} ${fault}`,
      advice:
        'Write `ctx.artifact("name", { markdown: "…" })`, or with table, image and mediaType, file, or html.',
    });
  if (typeof name !== "string" || name === "" || name.length > artifactNameMax) {
    throw wrong(`needs a name of 1 to ${artifactNameMax} characters`);
  }
  const given = content !== null && typeof content === "object" ? Object.entries(content) : [];
  const found = given.filter(([key]) => Object.hasOwn(artifactShapes, key));
  const [[kind, value] = []] = found;
  const shape = kind === undefined ? undefined : artifactShapes[kind];
  if (!shape || found.length > 1) {
    throw wrong(`must have one of ${Object.keys(artifactShapes).join(", ")}`);
  }
  if (!shape[0](value)) throw wrong(`holds a wrong ${kind}: it must be ${shape[1]}`);
  const mediaType: unknown = Object.fromEntries(given)["mediaType"];
  if (mediaType === undefined ? kind === "image" : !isText(mediaType)) {
    throw wrong(`needs a mediaType, such as "image/png"`);
  }
}

interface ArtifactBytes {
  readonly bytes: Uint8Array;
  readonly type: ArtifactType;
  readonly mediaType: string;
}

function readArtifact(name: string, content: ArtifactContent): ArtifactBytes {
  if ("markdown" in content) return textArtifact(content.markdown, "markdown", "text/markdown");
  if ("html" in content) return textArtifact(content.html, "html", "text/html");
  if ("image" in content) return { bytes: content.image, type: "image", mediaType: content.mediaType };
  if ("table" in content) {
    const fault = findJsonFault(content.table);
    if (fault) {
      throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
        message: `table ${JSON.stringify(name)} can't be carried by JSON: ${formatPath(fault.path)} is ${fault.found}`,
        fields: { path: formatPath(fault.path), found: fault.found },
      });
    }
    return textArtifact(JSON.stringify(content.table), "table", "application/json");
  }
  if ("file" in content) {
    const { size } = statSync(content.file);
    if (size > limits.artifactBytesMax) throw artifactTooLarge(name, size);
    const mediaType = content.mediaType ?? mediaTypeOf(basename(content.file));
    return { bytes: readFileSync(content.file), type: "file", mediaType };
  }
  return unreachable(content);
}

function textArtifact(text: string, type: ArtifactType, mediaType: string): ArtifactBytes {
  return { bytes: Buffer.from(text), type, mediaType };
}

function artifactTooLarge(name: string, bytes: number): MillraceError {
  return new MillraceError("MILLRACE_OUTPUT_TOO_LARGE", {
    message: `artifact ${JSON.stringify(name)} has ${bytes} bytes, more than ${limits.artifactBytesMax}`,
    fields: { bytes, bytesMax: limits.artifactBytesMax },
  });
}

const artifactNameMax = 200;

const mediaTypes: { readonly [extension: string]: string } = {
  ".csv": "text/csv",
  ".gif": "image/gif",
  ".html": "text/html",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".md": "text/markdown",
  ".parquet": "application/vnd.apache.parquet",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
};

function mediaTypeOf(file: string): string {
  return mediaTypes[extname(file).toLowerCase()] ?? "application/octet-stream";
}

function findConnection(run: RunAttempt, name: string): Connection {
  const variable = connectionVariable(name);
  if (!Object.hasOwn(run.connections, name)) {
    throw new MillraceError("MILLRACE_CONNECTION_MISSING", {
      message: `the task does not list connection ${JSON.stringify(name)}`,
      advice: `Add ${JSON.stringify(name)} to the task's \`connections\`, and set ${variable} on the worker.`,
      fields: { connection: name, variable },
    });
  }
  const text = run.connections[name];
  if (typeof text === "string") return parseConnection(name, text);
  throw new MillraceError("MILLRACE_CONNECTION_MISSING", {
    message: `connection ${JSON.stringify(name)} is not defined: the worker has no variable ${variable}`,
    advice: `Set ${variable} on the worker to a URL or a JSON object.`,
    fields: { connection: name, variable },
  });
}
