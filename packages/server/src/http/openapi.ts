/** The API's description (OpenAPI 3.1), made from the same routes that serve it. */
import { catalogue } from "@millrace/core";
import { apiPrefix } from "@millrace/protocol";
import { problemType } from "./problem.ts";
import type { Route } from "./route.ts";

interface Document {
  readonly [member: string]: unknown;
}

export function openApiDocument(routes: readonly Route[], version: string): Document {
  const paths: { [path: string]: { [method: string]: Document } } = {};
  for (const route of routes) {
    const path = `${apiPrefix}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Millrace", version },
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{}, { token: [] }],
  };
}

function operationOf(route: Route): Document {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  return {
    summary: route.summary,
    parameters: [
      ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
      ...Object.entries(route.query ?? {}).map(([name, description]) => ({
        name,
        in: "query",
        description,
        schema: { type: "string" },
      })),
    ],
    ...requestBodyOf(route),
    responses: {
      [String(route.status ?? 200)]: { description: "Done" },
      default: {
        description: "A problem (RFC 9457)",
        content: { [problemType]: { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function requestBodyOf(route: Route): Document {
  const bodies = route.rawBodies ?? (route.body && { "application/json": route.body });
  if (!bodies) return {};
  const content = Object.fromEntries(
    Object.entries(bodies).map(([mediaType, { schema }]) => [mediaType, { schema }]),
  );
  return { requestBody: { required: true, content } };
}

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "advice"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { enum: Object.keys(catalogue) },
    advice: { type: "string" },
    fields: { type: "object" },
    source: { type: "object" },
  },
};
