/** Routes: operations of the protocol with who answers them. What is asked is checked here, by what the operation says. */
import { MillraceError, nearestName } from "@millrace/core";
import {
  isStorable,
  type AnswerOf,
  type BodyOf,
  type Operation,
  type Parameter,
  type PartsOf,
  type PreviewOf,
  type ReadQuery,
  type Shape,
} from "@millrace/protocol";
import { fieldsOf } from "@millrace/protocol/operations";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export interface Route {
  readonly operation: Operation;
  readonly bodyBytesMax?: number;
  handle(this: void, raw: FastifyRequest, reply: FastifyReply): unknown;
}

/** A request whose body and query were checked. */
export interface ApiRequest<Told extends Operation = Operation> {
  readonly raw: FastifyRequest;
  readonly path: { readonly [Name in PartsOf<Told["path"]>]: string };
  readonly query: ReadQuery<Told>;
  readonly body: BodyOf<Told>;
}

/** Answers are JSON, unless the operation says otherwise: then the reply was used. */
type Answer<Told extends Operation> = Told extends { readonly answer: Shape }
  ? AnswerOf<Told> | PreviewOf<Told> | FastifyReply
  : FastifyReply | void;

export function route<const Told extends Operation>(
  operation: Told,
  handle: (request: ApiRequest<Told>, reply: FastifyReply) => Answer<Told> | Promise<Answer<Told>>,
  { bodyBytesMax }: { readonly bodyBytesMax?: number } = {},
): Route {
  return {
    operation,
    ...(bodyBytesMax === undefined ? {} : { bodyBytesMax }),
    handle: async (raw, reply) => {
      const fields = readFields(operation, raw);
      const answer = await handle(readRequest(operation, raw), reply);
      return fields && answer !== reply ? withFields(answer as object, fields) : answer;
    },
  };
}

export function addRoute(app: FastifyInstance, { operation, bodyBytesMax, handle }: Route): void {
  app.route({
    method: operation.method,
    url: operation.path,
    exposeHeadRoute: hasHead(operation),
    ...(bodyBytesMax === undefined ? {} : { bodyLimit: bodyBytesMax }),
    handler: handle,
  });
}

/** Whether HEAD is answered as GET is, without the content: not where that never ends, or is bytes; bundles have one of their own. */
export function hasHead({ method, path, answersWith }: Operation): boolean {
  return method === "GET" && answersWith === undefined && path !== "/bundles/:hash";
}

function readRequest<Told extends Operation>(operation: Told, raw: FastifyRequest): ApiRequest<Told> {
  const path = raw.params as ApiRequest<Told>["path"];
  for (const part of Object.values(path)) requireStorable(part);
  // No body is as good as an empty object.
  const body = raw.body === undefined ? {} : raw.body;
  if (operation.body) requireShape(operation.body, body);
  return {
    raw,
    path,
    query: readQuery(operation, raw) as ReadQuery<Told>,
    body: body as unknown as BodyOf<Told>,
  };
}

function readQuery(operation: Operation, raw: FastifyRequest): { readonly [name: string]: unknown } {
  const given = raw.query as { readonly [name: string]: unknown };
  const known = operation.query ?? {};
  const hasFields = fieldsOf(operation).length > 0;
  for (const name of Object.keys(given))
    if (name !== "fields" || !hasFields) requireKnown(hasFields ? { ...known, fields: true } : known, name);
  const query: { [name: string]: unknown } = {};
  for (const [name, parameter] of Object.entries(known))
    query[name] = readParameter(name, parameter, given[name]);
  return query;
}

/** The members that are asked for, of an answer or of each item of a list. */
function readFields(operation: Operation, raw: FastifyRequest): ReadonlySet<string> | undefined {
  const { fields } = raw.query as { readonly fields?: unknown };
  const known = fieldsOf(operation);
  if (fields === undefined || fields === "" || known.length === 0) return undefined;
  if (typeof fields !== "string") throw invalidQuery("fields", "may stand in the query once");
  const asked = fields.split(",").map((name) => name.trim());
  for (const name of asked) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    const hint = near === undefined ? `it may name ${known.join(", ")}` : `did you mean ${near}?`;
    throw invalidQuery("fields", `names ${JSON.stringify(name.slice(0, 100))}, which is not there: ${hint}`);
  }
  return new Set(asked);
}

function withFields(answer: object, fields: ReadonlySet<string>): object {
  const { items } = answer as { readonly items?: readonly object[] };
  return items ? { ...answer, items: items.map((item) => only(item, fields)) } : only(answer, fields);
}

function only(value: object, fields: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => fields.has(name)));
}

function readParameter(name: string, parameter: Parameter, given: unknown): unknown {
  if (given === undefined) {
    if (parameter.isRequired) throw invalidQuery(name, "is missing in the query");
    return parameter.absent;
  }
  if (typeof given !== "string") throw invalidQuery(name, "may stand in the query once");
  if (!isStorable(given))
    throw invalidQuery(name, "has a character that can't be stored (U+0000, or half of a surrogate pair)");
  const found = parameter.read(given);
  if ("value" in found) return found.value;
  const near = nearestName(given, (parameter.schema["enum"] as readonly string[] | undefined) ?? []);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw invalidQuery(name, `must be ${found.expected}${hint}`);
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

function requireStorable(value: unknown): void {
  if (typeof value !== "string" || isStorable(value)) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: "The path has a character that can't be stored (U+0000, or half of a surrogate pair).",
  });
}

function requireKnown(parameters: object, name: string): void {
  if (Object.hasOwn(parameters, name)) return;
  const names = Object.keys(parameters);
  const near = nearestName(name, names);
  const known = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
  throw invalidQuery(
    name,
    `is not known in the query here: ${near === undefined ? known : `did you mean ${near}?`}`,
  );
}

function invalidQuery(name: string, why: string): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `"${name.slice(0, 100)}" ${why}${why.endsWith("?") ? "" : "."}`,
    fields: { query: name.slice(0, 100) },
  });
}
