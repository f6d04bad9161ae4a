/** Schemas of what `/api/v1` takes: each is a JSON Schema for the API's document and the check at the server's edge. */
import { triggerRules, type Json } from "@millrace/core";
import {
  anObject,
  anyJson,
  closed,
  flag,
  integer,
  list,
  mapOf,
  number,
  object,
  oneOf,
  sha256,
  storable,
  text,
  type Shape,
} from "./shape.ts";

/** PostgreSQL's `integer`. */
const integerMax = 2_147_483_647;
const count = integer(0, integerMax);
const positive = integer(1, integerMax);

export const startRunRequest = closed(
  object(
    { pipeline: storable },
    {
      params: anyJson,
      labels: mapOf(storable, storable),
      partition: storable,
      idempotencyKey: storable,
      force: flag,
    },
  ),
);
export const cancelRequest = closed(object({}, { node: storable, item: storable }));
export const rerunRequest = closed(
  object(
    { scope: oneOf("failed", "nodes", "all") },
    { nodes: list(storable), sameBundle: flag, preview: flag },
  ),
);
export const markRequest = closed(
  object(
    { node: storable, state: oneOf("succeeded", "failed", "skipped") },
    { item: storable, output: anyJson, preview: flag },
  ),
);
export const moveRequest = closed(object({}, { bundle: storable }));
export const answerRequest = closed(
  object({ approved: flag }, { by: storable, note: storable, form: anyJson }),
);
export const rollbackRequest = closed(object({ project: storable }, { deployment: positive }));
/** The core checks what `onResume` and `trigger` hold. */
export const resumeRequest = closed(object({}, { onResume: anyJson, preview: flag }));
export const simulateRequest = closed(
  object(
    {},
    {
      pipeline: storable,
      trigger: anObject,
      since: text,
      after: integer(0, Number.MAX_SAFE_INTEGER),
      limit: positive,
    },
  ),
);
export const poolRequest = closed(object({ slots: count }));

/** For the document; `parseCloudEvent` of core checks, and tells more. */
export const cloudEvent = object(
  { specversion: oneOf("1.0"), id: text, source: text, type: text },
  {
    subject: text,
    time: text,
    datacontenttype: text,
    dataschema: text,
    data: anyJson,
    data_base64: text,
  },
);
export const cloudEventBatch = list(cloudEvent);

const manifest = object({
  hash: sha256,
  formatVersion: positive,
  project: text,
  codeHash: sha256,
  mapHash: sha256,
  codeBytes: count,
  externals: mapOf(text),
  platform: text,
  nodeMajor: count,
  projectRoot: text,
});
export const bundleUpload = object({ manifest, code: text, map: text });

/** What `compileGraph` takes for granted: the rest of a definition is its to judge. */
const template: Shape = {
  schema: { type: "object", required: ["kind"], properties: { kind: { type: "string" } } },
  check: (value) => checkTemplate(value as Json, 0),
};
const retry = object({
  retries: count,
  backoff: oneOf("fixed", "exponential"),
  delayMs: number(0),
  factor: number(),
  maxDelayMs: number(0),
  jitter: oneOf("none", "full"),
});
const options = object(
  { retry, priority: number(), queue: text, env: list(text), connections: list(text) },
  {
    timeoutMs: number(0),
    pool: object({ name: text, slots: positive }),
    concurrency: object({ key: template, limit: positive }),
    cache: object({ version: text }, { expiryMs: number(0) }),
  },
);
const source = object({ file: text, line: count }, { column: count });
const verdict = oneOf("fail", "skip", "continue");
const approval = object({ onReject: verdict }, { title: text, by: list(text), form: anyJson });
const node = object(
  {
    id: text,
    kind: oneOf("task", "branch", "short_circuit", "call", "wait"),
    name: text,
    input: template,
    after: list(object({ node: text }, { choices: list(text) })),
    rule: oneOf(...triggerRules),
    options,
  },
  {
    region: text,
    teardownOf: list(text),
    choices: list(text),
    skips: oneOf("all", "direct"),
    calls: text,
    wait: object({ onTimeout: verdict }, { timeoutMs: number(0), approval }),
    writes: list(text),
    reads: list(text),
    source,
    description: text,
  },
);
const region = object(
  { id: text, over: list(template), combine: oneOf("zip", "cross"), settled: flag },
  { parent: text, concurrency: positive, source },
);
const pipeline = object(
  { name: text, tags: list(text), paused: flag, nodes: list(node), regions: list(region) },
  {
    description: text,
    owner: text,
    maxActiveRuns: positive,
    deadlineMs: number(0),
    params: object({ schema: anyJson, validateOnWorker: flag }),
    output: template,
    // The core checks the condition itself.
    trigger: object(
      { condition: anObject, onResume: anyJson, catchUp: anyJson },
      { policy: text, loopLimit: positive },
    ),
    source,
  },
);
const project = object(
  { project: text, pipelines: list(pipeline), pools: mapOf(count), queues: list(text) },
  // The core checks each itself.
  {
    webhooks: list(object({ name: text }, { source })),
    assets: list(object({ name: text }, { source })),
    sources: list(object({ name: text }, { source })),
    probes: list(object({ name: text }, { source })),
    eventTypes: list(object({ type: text, schema: anyJson }, { source })),
  },
);
export const deployRequest = closed(
  object({ bundle: sha256, definition: project }, { dryRun: flag, newTriggers: oneOf("paused") }),
);

const templateDepthMax = 200;
const path = list(anyJson);
const templates: { readonly [kind: string]: Shape } = {
  value: object({ value: anyJson }),
  object: object({ entries: anObject }),
  array: object({ items: list(anObject) }),
  output: object({ node: text, path }),
  item: object({ region: text, path }),
  index: object({ region: text }),
  params: object({ path }),
  firing: object({ path }),
};

function checkTemplate(value: Json, depth: number): ReturnType<Shape["check"]> {
  const fault = anObject.check(value);
  if (fault || depth > templateDepthMax) return { path: "", expected: "a template" };
  const parts = value as { readonly kind?: Json; readonly entries?: Json; readonly items?: Json };
  const shape =
    typeof parts.kind === "string" && Object.hasOwn(templates, parts.kind)
      ? templates[parts.kind]
      : undefined;
  if (!shape) return { path: "/kind", expected: `one of ${Object.keys(templates).join(", ")}` };
  const own = shape.check(value);
  if (own) return own;
  const inner = parts.kind === "object" ? parts.entries : parts.kind === "array" ? parts.items : {};
  for (const [name, part] of Object.entries(inner as { [name: string]: Json })) {
    const below = checkTemplate(part, depth + 1);
    if (below)
      return {
        path: `/${parts.kind === "object" ? "entries" : "items"}/${name}${below.path}`,
        expected: below.expected,
      };
  }
  return undefined;
}
