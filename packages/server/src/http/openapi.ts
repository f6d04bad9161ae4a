/** The API's description (OpenAPI 3.1), made from the same operations that are served. */
import { catalogue } from "@millrace/core";
import { apiPrefix, type Operation } from "@millrace/protocol";
import { fieldsOf, operations, problem } from "@millrace/protocol/operations";
import { problemType } from "./problem.ts";

interface Document {
  readonly [member: string]: unknown;
}

const names = new Map<Operation, string>(
  Object.entries(operations).map(([name, operation]) => [operation, name]),
);

export function openApiDocument(served: readonly Operation[], version: string): Document {
  const schemas = new Schemas();
  const paths: { [path: string]: { [method: string]: Document } } = {};
  for (const operation of served) {
    const path = `${apiPrefix}${operation.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    (paths[path] ??= {})[operation.method.toLowerCase()] = operationOf(operation, schemas);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Millrace",
      version,
      description: "What the page and the command line use. Times are RFC 3339 in UTC, durations are in ms.",
      license: { name: "Apache 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "This server" }],
    tags: [...new Set(served.map(tagOf))].map((name) => ({ name, description: tags[name] })),
    paths,
    components: {
      schemas: schemas.all(),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{}, { token: [] }],
  };
}

const anyPart = { type: "string", minLength: 1 };
const partSchemas: { readonly [name: string]: Document } = {
  hash: { type: "string", pattern: "^[0-9a-f]{64}$" },
  position: { type: "string", pattern: "^[1-9][0-9]{0,14}$" },
};
/** What each part of the API is about, by the first word of its paths. */
const tags: { readonly [name: string]: string } = {
  approvals: "What people are asked, and answer",
  assets: "What pipelines make, by partition and version",
  blobs: "Bytes by their hash",
  bundles: "Compiled code by its hash",
  deployments: "Definitions of projects, one after the other",
  "event-rates": "How many events come from where",
  "event-types": "What projects declare of events",
  events: "The event log: intake and history",
  info: "The server that answers",
  lineage: "What leads into what",
  limits: "Pools, concurrency keys and limits of active runs",
  live: "What happens, as it happens",
  "openapi.json": "This document",
  overview: "Whether all is well",
  pipelines: "What can run",
  pools: "Slots that tasks share",
  project: "The files that `millrace dev` follows",
  probes: "Looks at other systems",
  queues: "What waits for workers",
  runs: "What ran and runs",
  schedules: "Coming ticks",
  search: "All that has a name",
  settings: "How the server was started",
  sources: "What reads other systems",
  system: "Servers, the database, retention, findings",
  timeline: "The last and the next hours",
  triggers: "Conditions, their state and their firings",
  waits: "What runs wait for",
  webhooks: "Where senders deliver",
  workers: "Who does the work",
};

function tagOf({ path }: Operation): string {
  return path.split("/")[1]!;
}

function operationOf(operation: Operation, schemas: Schemas): Document {
  const parts = [...operation.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  return {
    operationId: names.get(operation) ?? "getDocument",
    tags: [tagOf(operation)],
    summary: operation.summary,
    parameters: [
      ...parts.map((name = "") => ({
        name,
        in: "path",
        required: true,
        schema: operation.parts?.[name] ?? partSchemas[name] ?? anyPart,
      })),
      ...Object.entries(operation.query ?? {}).map(([name, { description, schema, isRequired, absent }]) => ({
        name,
        in: "query",
        description,
        ...(isRequired ? { required: true } : {}),
        schema: absent === undefined ? schema : { ...schema, default: absent },
      })),
      ...fieldsParameter(operation),
      ...headersOf(operation),
    ],
    ...requestBodyOf(operation, schemas),
    responses: {
      "200": { description: "Done", ...answerOf(operation, schemas) },
      ...Object.fromEntries(
        Object.entries(operation.also ?? {}).map(([status, description]) => [
          status,
          { description, ...answerOf(operation, schemas) },
        ]),
      ),
      "4XX": problemResponse("What was asked can't be done (RFC 9457)", schemas),
      "5XX": problemResponse("The server could not do it (RFC 9457)", schemas),
    },
  };
}

function fieldsParameter(operation: Operation): readonly Document[] {
  const fields = fieldsOf(operation);
  if (fields.length === 0) return [];
  return [
    {
      name: "fields",
      in: "query",
      description: "Only these members, with commas between them: of the answer, or of each item of a list",
      style: "form",
      explode: false,
      schema: { type: "array", items: { enum: fields }, uniqueItems: true },
    },
  ];
}

function headersOf({ method, path }: Operation): readonly Document[] {
  const text = { type: "string" };
  if (path === "/runs" && method === "POST")
    return [
      {
        name: "Idempotency-Key",
        in: "header",
        description: "A repeated request with the same key answers with the first one's run",
        schema: text,
      },
    ];
  if (!/^\/(?:runs|pipelines|pools|sources)\/:/.test(path) || method === "GET") return [];
  return [
    {
      name: "If-Match",
      in: "header",
      description: "Changes it only in this state: the ETag with which it was read",
      schema: text,
    },
  ];
}

function answerOf({ answer, preview, answersWith }: Operation, schemas: Schemas): Document {
  if (answer) {
    const schema = preview ? { anyOf: [answer.schema, preview.schema] } : answer.schema;
    return { content: { "application/json": { schema: schemas.told(schema) } } };
  }
  if (answersWith === undefined) return {};
  return {
    content: Object.fromEntries(answersWith.map((type) => [type, { schema: { type: "string" } }])),
  };
}

function problemResponse(description: string, schemas: Schemas): Document {
  return { description, content: { [problemType]: { schema: schemas.told(codedProblem) } } };
}

function requestBodyOf(operation: Operation, schemas: Schemas): Document {
  const bodies = operation.rawBodies ?? (operation.body && { "application/json": operation.body });
  if (!bodies) return {};
  const content = Object.fromEntries(
    Object.entries(bodies).map(([mediaType, { schema }]) => [mediaType, { schema: schemas.told(schema) }]),
  );
  const must = (operation.body?.schema["required"] as readonly string[] | undefined)?.length !== 0;
  return { requestBody: { required: must, content } };
}

const codedProblem = {
  ...problem.schema,
  properties: { ...(problem.schema["properties"] as object), code: { enum: Object.keys(catalogue) } },
};

/** What has a title is told once, and referred to. */
class Schemas {
  readonly #named = new Map<string, unknown>();

  told(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((part) => this.told(part));
    if (schema === null || typeof schema !== "object") return schema;
    const { title, ...rest } = schema as Document;
    // A member of that name has a schema of its own.
    if (typeof title !== "string") return this.#inside(schema as Document);
    if (!this.#named.has(title)) {
      // Before what is in it: it may name itself.
      this.#named.set(title, undefined);
      this.#named.set(title, this.#inside(rest));
    }
    return { $ref: `#/components/schemas/${title}` };
  }

  all(): Document {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #inside(schema: Document): Document {
    return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, this.told(value)]));
  }
}
