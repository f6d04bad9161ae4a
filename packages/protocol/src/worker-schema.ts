/**
 * JSON Schemas (2020-12) of the worker protocol's messages, and the readers that both sides put at their edge. Unknown
 * fields pass, unknown kinds are ignored; what is there must have its type. The compiler is loaded by the first call.
 */
import type { ServerMessage, WorkerMessage } from "./worker.ts";

type Schema = { readonly [key: string]: unknown };

const text: Schema = { type: "string" };
const count: Schema = { type: "integer", minimum: 0 };
const positive: Schema = { type: "integer", minimum: 1 };
const time: Schema = { type: "number" };
const flag: Schema = { type: "boolean" };
const texts: Schema = { type: "array", items: text };
const textMap: Schema = { type: "object", additionalProperties: text };
const sha256: Schema = { type: "string", pattern: "^[0-9a-f]{64}$" };

/** All of `required` must be there; `optional` ones have their type when they are. */
function object(
  required: { readonly [name: string]: Schema },
  optional: { readonly [name: string]: Schema } = {},
): Schema {
  return { type: "object", properties: { ...required, ...optional }, required: Object.keys(required) };
}

function list(items: Schema): Schema {
  return { type: "array", items };
}

/** One of several objects, told apart by `kind`. */
function byKind(kinds: { readonly [kind: string]: Schema }): Schema {
  return {
    type: "object",
    required: ["kind"],
    discriminator: { propertyName: "kind" },
    oneOf: Object.entries(kinds).map(([kind, schema]) => ({
      ...schema,
      properties: { ...(schema["properties"] as object), kind: { const: kind } },
      required: ["kind", ...(schema["required"] as string[])],
    })),
  };
}

const token = object({ runId: text, node: text, item: text, generation: positive, dispatch: positive });
const carried: Schema = {
  type: "object",
  anyOf: [{ required: ["value"] }, object({ blob: sha256, bytes: count })],
};
const attemptError = object(
  { name: text, message: text },
  {
    stack: text,
    code: text,
    next: { enum: ["fatal", "retry_after"] },
    retryAfterMs: time,
    classes: texts,
    cause: text,
  },
);
const outcome = byKind({
  succeeded: object({ output: carried }),
  failed: object({ error: attemptError }),
  skipped: object({ reason: text }),
  cancelled: object({}),
  infrastructure: object({ error: attemptError }),
});
const times = object({ startedAt: time, endedAt: time });
const logLine = object(
  {
    at: time,
    stream: { enum: ["stdout", "stderr", "log", "system"] },
    level: { enum: ["debug", "info", "warn", "error"] },
    text,
  },
  { fields: { type: "object" } },
);

/** By `kind`: what a worker sends. */
export const workerMessageSchemas: { readonly [kind in WorkerMessage["kind"]]: Schema } = {
  hello: object({
    protocol: positive,
    workerId: text,
    name: text,
    version: text,
    queues: texts,
    slots: positive,
    labels: textMap,
    platform: text,
    running: list(token),
  }),
  results: object({ results: list(object({ token, outcome, times })) }),
  logs: object({ token, attempt: positive, from: count, lines: list(logLine) }),
  progress: object({ token, fraction: { type: "number", minimum: 0, maximum: 1 } }, { message: text }),
  artifact: object({
    token,
    attempt: positive,
    name: text,
    type: { enum: ["markdown", "table", "image", "file", "html"] },
    mediaType: text,
    blob: sha256,
    bytes: count,
  }),
  draining: object({}),
  heartbeat: object({}),
};

const dispatch = object(
  {
    token,
    pipeline: text,
    bundle: text,
    attempt: positive,
    input: carried,
    env: texts,
    connections: texts,
    idempotencyKey: text,
  },
  { timeoutMs: { type: "number", exclusiveMinimum: 0 }, params: carried },
);

/** By `kind`: what a server sends. */
export const serverMessageSchemas: { readonly [kind in ServerMessage["kind"]]: Schema } = {
  welcome: object({ protocol: positive, leaseMs: positive, heartbeatMs: positive, revoked: list(token) }),
  dispatches: object({ dispatches: list(dispatch) }),
  cancel: object({ token, reason: text, graceMs: count }),
  ack: object({ tokens: list(token) }),
  goodbye: object({ code: text, message: text, retry: flag }),
};

/** Reads a frame. `undefined`: it is to be ignored, and `ignored` was told why. */
export type FrameReader<Message> = (frame: string, ignored: (reason: string) => void) => Message | undefined;

/** What a server reads of its workers. */
export function loadWorkerFrameReader(): Promise<FrameReader<WorkerMessage>> {
  return loadReader<WorkerMessage>(workerMessageSchemas);
}

/** What a worker reads of its server. */
export function loadServerFrameReader(): Promise<FrameReader<ServerMessage>> {
  return loadReader<ServerMessage>(serverMessageSchemas);
}

async function loadReader<Message>(schemas: {
  readonly [kind: string]: Schema;
}): Promise<FrameReader<Message>> {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const compiler = new Ajv2020({ discriminator: true, strict: false, ownProperties: true });
  const checks = new Map(Object.entries(schemas).map(([kind, schema]) => [kind, compiler.compile(schema)]));
  return (frame, ignored) => {
    const message = parse(frame);
    const kind = message === undefined ? undefined : kindOf(message);
    if (kind === undefined) {
      ignored("a frame is no JSON object with a `kind`");
      return undefined;
    }
    const check = checks.get(kind);
    if (!check) {
      ignored(`a frame has the unknown kind ${JSON.stringify(kind.slice(0, 100))}`);
      return undefined;
    }
    if (check(message)) return message as Message;
    const [fault] = check.errors ?? [];
    ignored(
      `a frame of kind ${kind} is malformed at ${fault?.instancePath || "its top"}: ${fault?.message ?? "?"}`,
    );
    return undefined;
  };
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch {
    return undefined;
  }
}

function kindOf(message: unknown): string | undefined {
  if (message === null || typeof message !== "object" || !("kind" in message)) return undefined;
  return typeof message.kind === "string" ? message.kind : undefined;
}
