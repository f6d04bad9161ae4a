/** Routes as data: what is registered, checked and described in the API's document comes from here. */
import { MillraceError, nearestName, parseEventTime } from "@millrace/core";
import { isStorable, type Shape } from "@millrace/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { pageSize, pageSizeMax } from "./limits.ts";

export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** Below `/api/v1`, with `:name` for its parts. */
  readonly path: string;
  readonly summary: string;
  readonly body?: Shape;
  /** Bodies that the route reads itself, as bytes, by their media types: in place of `body`. */
  readonly rawBodies?: { readonly [mediaType: string]: Shape };
  /** Names of what may stand in the query, with what each means. */
  readonly query?: { readonly [name: string]: string };
  readonly answer?: Shape;
  /** What is answered when all is well; 200 when absent. */
  readonly status?: number;
  readonly bodyBytesMax?: number;
  handle(this: void, request: ApiRequest, reply: FastifyReply): unknown;
}

/** A request whose body and query were checked. */
export class ApiRequest {
  readonly raw: FastifyRequest;
  readonly body: unknown;
  readonly #query: { readonly [name: string]: unknown };

  constructor(route: Route, raw: FastifyRequest) {
    this.raw = raw;
    this.#query = raw.query as { readonly [name: string]: unknown };
    for (const name of Object.keys(this.#query)) requireKnown(route, name);
    for (const part of Object.values(raw.params as object)) requireStorable(part, "The path");
    for (const [name, value] of Object.entries(this.#query)) requireStorable(value, `"${name}" in the query`);
    // No body is as good as an empty object.
    this.body = raw.body ?? {};
    if (route.body) requireShape(route.body, this.body);
  }

  /** A part of the path. */
  part(name: string): string {
    return (this.raw.params as { readonly [name: string]: string })[name] ?? "";
  }

  text(name: string): string | undefined {
    const value = this.#query[name];
    if (value === undefined || typeof value === "string") return value;
    throw invalidQuery(name, "may stand in the query once");
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw invalidQuery(name, "is missing in the query");
    return value;
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= minimum && value <= maximum) return value;
    throw invalidQuery(name, `must be a whole number from ${minimum} to ${maximum}`);
  }

  /** In ms since 1970. */
  time(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const time = parseEventTime(text);
    if (time !== undefined) return time;
    throw invalidQuery(name, "must be a time as RFC 3339 has it, such as 2026-01-31T06:00:00Z");
  }

  flag(name: string): boolean {
    const text = this.text(name);
    if (text === undefined || text === "false") return false;
    if (text === "true" || text === "") return true;
    throw invalidQuery(name, "must be true or false");
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = values.find((value) => value === text);
    if (found !== undefined) return found;
    const near = nearestName(text, values);
    throw invalidQuery(
      name,
      `must be one of ${values.join(", ")}${near === undefined ? "" : ` (did you mean ${near}?)`}`,
    );
  }

  limit(): number {
    return this.integer("limit", 1, pageSizeMax) ?? pageSize;
  }
}

export function addRoute(app: FastifyInstance, route: Route): void {
  app.route({
    method: route.method,
    url: route.path,
    ...(route.bodyBytesMax === undefined ? {} : { bodyLimit: route.bodyBytesMax }),
    handler: (raw, reply) => {
      const request = new ApiRequest(route, raw);
      if (route.status !== undefined) reply.code(route.status);
      return route.handle(request, reply);
    },
  });
}

export function requireShape(shape: Shape, value: unknown): void {
  const fault = shape.check(value);
  if (!fault) return;
  const path = fault.path === "" ? "The body" : `"${fault.path.slice(1).replaceAll("/", ".")}"`;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `${path} is not valid: expected ${fault.expected}.`,
    fields: { path: fault.path, expected: fault.expected },
  });
}

function requireStorable(value: unknown, where: string): void {
  if (typeof value !== "string" || isStorable(value)) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `${where} has a character that can't be stored (U+0000, or half of a surrogate pair).`,
  });
}

function requireKnown(route: Route, name: string): void {
  if (route.query && Object.hasOwn(route.query, name)) return;
  const names = Object.keys(route.query ?? {});
  const near = nearestName(name, names);
  const known = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
  throw invalidQuery(
    name,
    `is not known in the query here: ${near === undefined ? known : `did you mean ${near}?`}`,
  );
}

function invalidQuery(name: string, why: string): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `"${name.slice(0, 100)}" ${why}.`,
    fields: { query: name.slice(0, 100) },
  });
}
