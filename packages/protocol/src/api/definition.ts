/** What a project's definition looks like at the server's edge. */
import { triggerRules, type Json, type ProjectDefinition } from "@millrace/core";
import {
  anObject,
  anyJson,
  flag,
  list,
  mapOf,
  named,
  number,
  object,
  oneOf,
  text,
  typed,
  type Shape,
} from "../shape.ts";
import { count, positive } from "./parts.ts";

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
export const projectDefinition = named("ProjectDefinition", typed<ProjectDefinition>(project));

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
