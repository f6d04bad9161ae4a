/** The one way in which the page speaks to the server: `/api/v1`, as the command line does. */
import type { AnswerAt, BodyAt, Page, PreviewAt, Problem, QueryAt } from "@millrace/protocol";
import { token } from "./session.ts";

export type Query = { readonly [name: string]: string | number | boolean | undefined };

/** A refusal of the server (RFC 9457), or that it could not be reached. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered with ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

export function apiPath(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${text === "" ? "" : `?${text}`}`;
}

export function get<const Path extends string>(
  path: Path,
  query?: QueryAt<"GET", Path>,
  signal?: AbortSignal,
): Promise<AnswerAt<"GET", Path>> {
  return send("GET", path, query, undefined, signal);
}

/** A page of a list whose path was looked up before. */
export function readPage<Item>(path: string, query: Query, signal?: AbortSignal): Promise<Page<Item>> {
  return send("GET", path, query, undefined, signal);
}

export async function getBlob(path: string, query?: Query, signal?: AbortSignal): Promise<Blob> {
  return (await ask("GET", path, { query, signal })).blob();
}

export function post<const Path extends string>(
  path: Path,
  body?: BodyAt<"POST", Path>,
  type?: string,
): Promise<AnswerAt<"POST", Path>> {
  return send("POST", path, undefined, body ?? {}, undefined, type);
}

/** What a change would do; nothing is done. */
export function preview<const Path extends string>(
  path: Path,
  body: BodyAt<"POST", Path> & object,
): Promise<PreviewAt<Path>> {
  return send("POST", path, undefined, { ...(body as object), preview: true });
}

export function put<const Path extends string>(
  path: Path,
  body: BodyAt<"PUT", Path>,
): Promise<AnswerAt<"PUT", Path>> {
  return send("PUT", path, undefined, body);
}

async function send<T>(
  method: string,
  path: string,
  query: Query | undefined,
  body: unknown,
  signal?: AbortSignal,
  type?: string,
): Promise<T> {
  return (await (await ask(method, path, { query, body, signal, type })).json()) as T;
}

interface Asked {
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly type?: string | undefined;
}

/** Throws `ApiError` where the answer is a refusal. */
async function ask(
  method: string,
  path: string,
  { query, body, signal, type = "application/json" }: Asked,
): Promise<Response> {
  const own = token();
  let response: Response;
  try {
    response = await fetch(apiPath(path, query), {
      method,
      headers: {
        ...(own === undefined ? {} : { authorization: `Bearer ${own}` }),
        ...(body === undefined ? {} : { "content-type": type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, {
      title: "The server does not answer",
      detail: "The server does not answer: it has stopped, or the network is away.",
      advice: "Start it again with `millrace dev` or `millrace server`; this page goes on by itself.",
    });
  }
  if (response.ok) return response;
  throw new ApiError(response.status, (await response.json().catch(() => ({}))) as Partial<Problem>);
}
