/**
 * Schemas of the worker protocol's messages, and the readers that both sides put at their edge. Unknown fields pass, unknown
 * kinds are ignored; what is there must have its type.
 */
import {
  anObject,
  byKind,
  flag,
  integer,
  jsonSchema,
  list,
  mapOf,
  memberOr,
  number,
  object,
  oneOf,
  sha256,
  storable,
  text,
  withKind,
  type Shape,
} from "./shape.ts";
import type { ServerMessage, WorkerMessage } from "./worker.ts";

const count = integer(0);
const positive = integer(1);
const time = number();
const texts = list(text);

const token = object({ runId: text, node: text, item: text, generation: positive, dispatch: positive });
const carried = memberOr("value", object({ blob: sha256, bytes: count }));
const attemptError = object(
  { name: text, message: text },
  {
    stack: text,
    code: text,
    next: oneOf("fatal", "retry_after"),
    retryAfterMs: time,
    classes: texts,
    cause: text,
  },
);
const stepName = { name: storable, occurrence: positive };
const waitOperation = byKind({
  event: object({ condition: anObject }, { timeoutMs: number(0) }),
  sleep: object({ ms: number(0) }),
  sleep_until: object({ at: time }),
  approval: object({}, { title: text, by: texts, form: jsonSchema, timeoutMs: number(0) }),
  call: object({ pipeline: text, params: carried }),
});
const ended = { value: object({ value: carried }), error: object({ error: attemptError }) };
const record = object({
  seq: positive,
  kind: oneOf("step", "wait"),
  ...stepName,
  outcome: byKind({ ...ended, timeout: object({}) }),
});
const outcome = byKind({
  succeeded: object({ output: carried }, { events: list(anObject) }),
  failed: object({ error: attemptError }),
  skipped: object({ reason: text }),
  suspended: object({ waits: list(object({ ...stepName, op: waitOperation })) }),
  cancelled: object({}),
  returned: object({}),
  infrastructure: object({ error: attemptError }),
});
const times = object({ startedAt: time, endedAt: time });
const logLine = object(
  {
    at: time,
    stream: oneOf("stdout", "stderr", "log", "system"),
    level: oneOf("debug", "info", "warn", "error"),
    text,
  },
  { fields: anObject },
);

const workerMessages: { readonly [kind in WorkerMessage["kind"]]: Shape } = {
  hello: object(
    {
      protocol: positive,
      workerId: text,
      name: text,
      version: text,
      queues: texts,
      slots: positive,
      labels: mapOf(text),
      platform: text,
      running: list(token),
    },
    { prefetch: count, draining: flag },
  ),
  results: object({ results: list(object({ token, outcome, times })) }),
  steps: object({
    token,
    steps: list(object({ ...stepName, outcome: byKind(ended) }, { events: list(anObject) })),
  }),
  rehearsed: object(
    { number: count },
    {
      asked: list(object({ ...stepName, kind: oneOf("step", "wait") }, { place: text })),
      error: attemptError,
    },
  ),
  logs: object({ token, attempt: positive, from: count, lines: list(logLine) }),
  progress: object({ token, fraction: number(0, 1) }, { message: text }),
  artifact: object({
    token,
    attempt: positive,
    name: text,
    type: oneOf("markdown", "table", "image", "file", "html"),
    mediaType: text,
    blob: sha256,
    bytes: count,
  }),
  draining: object({}),
  heartbeat: object({}, { running: list(token) }),
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
  {
    timeoutMs: number(0),
    params: carried,
    ahead: flag,
    inspect: flag,
    causes: text,
    records: list(record),
    partition: text,
  },
);

const serverMessages: { readonly [kind in ServerMessage["kind"]]: Shape } = {
  welcome: object({ protocol: positive, leaseMs: positive, heartbeatMs: positive, revoked: list(token) }),
  dispatches: object({ dispatches: list(dispatch) }),
  cancel: object({ token, reason: text, graceMs: count }),
  ack: object({ tokens: list(token) }),
  recorded: object({ token, steps: list(object(stepName)) }),
  rehearse: object({ number: count, dispatch }),
  goodbye: object({ code: text, message: text, retry: flag }),
};

/** JSON Schemas (2020-12) of what a worker sends, by `kind`. */
export function workerMessageSchemas(): { readonly [kind: string]: Shape["schema"] } {
  return schemasOf(workerMessages);
}

/** JSON Schemas (2020-12) of what a server sends, by `kind`. */
export function serverMessageSchemas(): { readonly [kind: string]: Shape["schema"] } {
  return schemasOf(serverMessages);
}

/**
 * What a server reads of a worker's frame. `undefined`: it is to be ignored, and `ignored` was told why.
 */
export function readWorkerFrame(frame: string, ignored: (reason: string) => void): WorkerMessage | undefined {
  return readFrame(workerMessages, frame, ignored) as WorkerMessage | undefined;
}

/** What a worker reads of a server's frame. `undefined`: it is to be ignored, and `ignored` was told why. */
export function readServerFrame(frame: string, ignored: (reason: string) => void): ServerMessage | undefined {
  return readFrame(serverMessages, frame, ignored) as ServerMessage | undefined;
}

interface Shapes {
  readonly [kind: string]: Shape;
}

function schemasOf(shapes: Shapes): { readonly [kind: string]: Shape["schema"] } {
  return Object.fromEntries(
    Object.entries(shapes).map(([kind, shape]) => [kind, withKind(kind, shape).schema]),
  );
}

function readFrame(shapes: Shapes, frame: string, ignored: (reason: string) => void): unknown {
  const message = parse(frame);
  const kind = kindOf(message);
  if (kind === undefined) {
    ignored("a frame is no JSON object with a `kind`");
    return undefined;
  }
  const shape = Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  if (!shape) {
    ignored(`a frame has the unknown kind ${JSON.stringify(kind.slice(0, 100))}`);
    return undefined;
  }
  const fault = shape.check(message);
  if (!fault) return message;
  ignored(`a frame of kind ${kind} is malformed at ${fault.path}: expected ${fault.expected}`);
  return undefined;
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
