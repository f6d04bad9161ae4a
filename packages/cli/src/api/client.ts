/**
 * The one way in which the command line speaks to a server: `/api/v1` over HTTP.
 *
 * A1: a refusal of the server becomes a MillraceError with its code; no answer becomes MILLRACE_SERVER_UNREACHABLE.
 * A2: only requests that change nothing are repeated, events, which have names, and what was refused with
 *     MILLRACE_OVERLOADED or its like, by which a server says that it did nothing of it.
 */
import {
  catalogue,
  cloudEventType,
  errorCodeOf,
  MillraceError,
  type CloudEvent,
  type Json,
  type SourceLocation,
} from "@millrace/core";
import {
  apiPrefix,
  type AnswerAt,
  type BodyAt,
  type EventReceipt,
  type ItemAt,
  type Page,
  type PreviewAt,
  type Problem,
  type QueryAt,
} from "@millrace/protocol";
import { pause } from "../pause.ts";
import { readEventStream } from "./event-stream.ts";

export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
}

export type Query = { readonly [name: string]: string | number | boolean | undefined };

interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Twice is as good as once. */
  readonly isRepeatable?: true;
}

const readRetriesMax = 2;
const retryPauseMs = 200;
/** A server that takes over from one that was killed waits for its lease of 6 s; many runs at once last no longer. */
const refusalRetriesMax = 10;
const refusalPauseMs = 1_000;
const requestTimeoutMs = 60_000;
/** Everything is asked for in pages of this size. */
const pageSize = 1_000;

export class ApiClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(address: ServerAddress) {
    this.url = address.url.replace(/\/+$/, "");
    this.#token = address.token;
  }

  get<const Path extends string>(path: Path, query?: QueryAt<"GET", Path>): Promise<AnswerAt<"GET", Path>> {
    return this.#json("GET", path, { query: query ?? {}, isRepeatable: true });
  }

  /** A value that is kept as a blob. */
  async value(hash: string): Promise<Json> {
    return this.#json<Json>("GET", `/blobs/${hash}`, { isRepeatable: true });
  }

  async bytes(path: string): Promise<Uint8Array> {
    const response = await this.#send("GET", path, {});
    if (!response.ok) throw await problemOf(response, `GET ${path}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  post<const Path extends string>(path: Path, body?: BodyAt<"POST", Path>): Promise<AnswerAt<"POST", Path>> {
    return this.#json("POST", path, { body: body ?? {} });
  }

  /** What a change would do; nothing is done. */
  preview<const Path extends string>(
    path: Path,
    body: BodyAt<"POST", Path> & object,
  ): Promise<PreviewAt<Path>> {
    return this.#json("POST", path, { body: { ...(body as object), preview: true }, isRepeatable: true });
  }

  put<const Path extends string>(path: Path, body: BodyAt<"PUT", Path>): Promise<AnswerAt<"PUT", Path>> {
    return this.#json("PUT", path, { body });
  }

  /** A repeat of an event is told as one. */
  emit(event: CloudEvent): Promise<EventReceipt> {
    return this.#json("POST", "/events", { body: event, contentType: cloudEventType, isRepeatable: true });
  }

  /** True when there is something at this address. */
  async has(path: string): Promise<boolean> {
    const response = await this.#send("HEAD", path, {});
    await response.body?.cancel();
    if (response.status === 404) return false;
    if (!response.ok) throw await problemOf(response, `HEAD ${path}`);
    return true;
  }

  /** The items of all pages, up to `max`. */
  async *pages<const Path extends string>(
    path: Path,
    query?: QueryAt<"GET", Path>,
    max = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<ItemAt<Path>> {
    let left = max;
    const filter: Query = query ?? {};
    let cursor = filter["cursor"];
    while (left > 0) {
      const asked = { ...filter, limit: Math.min(left, pageSize), cursor };
      const page = await this.#json<Page<ItemAt<Path>>>("GET", path, { query: asked, isRepeatable: true });
      for (const item of page.items.slice(0, left)) yield item;
      left -= page.items.length;
      cursor = page.nextCursor;
      if (cursor === undefined) return;
    }
  }

  async list<const Path extends string>(
    path: Path,
    query?: QueryAt<"GET", Path>,
    max?: number,
  ): Promise<ItemAt<Path>[]> {
    const items: ItemAt<Path>[] = [];
    for await (const item of this.pages(path, query, max)) items.push(item);
    return items;
  }

  /** Server-sent events, each one's data as JSON. Ends when the server ends it; a lost connection throws. */
  async *events<T>(
    path: string,
    query: Query,
    { signal, onOpen }: { readonly signal: AbortSignal; readonly onOpen: () => void },
  ): AsyncGenerator<T> {
    const response = await this.#send("GET", path, { query, signal });
    if (!response.ok || !response.body) throw await problemOf(response, `GET ${path}`);
    onOpen();
    try {
      for await (const data of readEventStream(response.body)) yield JSON.parse(data) as T;
    } catch (cause) {
      if (signal.aborted) return;
      throw cause instanceof MillraceError ? cause : this.#unreachable(cause);
    }
  }

  async #json<T>(method: string, path: string, options: RequestOptions): Promise<T> {
    for (let round = 0; ; round += 1) {
      try {
        const response = await this.#send(method, path, options);
        if (!response.ok) throw await problemOf(response, `${method} ${path}`);
        if (response.status === 204) return undefined as T;
        return (await response.json()) as T;
      } catch (error) {
        if (isRefusal(error) && round < refusalRetriesMax) {
          await pause(refusalPauseMs);
          continue;
        }
        const isUnanswered = errorCodeOf(error) === undefined || isTransient(error);
        if (!options.isRepeatable || round >= readRetriesMax || !isUnanswered) {
          throw errorCodeOf(error) === undefined ? this.#unreachable(error) : error;
        }
        await pause(retryPauseMs * 2 ** round);
      }
    }
  }

  async #send(method: string, path: string, options: RequestOptions): Promise<Response> {
    const url = new URL(`${this.url}${apiPrefix}${path}`);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: { [name: string]: string } = {};
    if (this.#token !== undefined) headers["authorization"] = `Bearer ${this.#token}`;
    if (options.body !== undefined) headers["content-type"] = options.contentType ?? "application/json";
    try {
      return await fetch(url, {
        method,
        headers,
        signal: options.signal ?? AbortSignal.timeout(requestTimeoutMs),
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  #unreachable(cause: unknown): MillraceError {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const reason = inner instanceof Error ? inner.message || inner.name : String(inner);
    const refused = (inner as { code?: unknown } | undefined)?.code === "ECONNREFUSED";
    return new MillraceError("MILLRACE_SERVER_UNREACHABLE", {
      message: refused
        ? `No server answers at ${this.url}.`
        : `The server at ${this.url} does not answer: ${reason}`,
      fields: { url: this.url, refused },
      cause,
    });
  }
}

/** Nothing of the request was done; in a moment it may be. */
function isRefusal(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === "MILLRACE_OVERLOADED" || code === "MILLRACE_EVENTS_OVERLOADED";
}

/** A server that was there and is busy with itself: the same request may succeed in a moment. */
function isTransient(error: unknown): boolean {
  const code = errorCodeOf(error);
  if (code === "MILLRACE_SERVER_UNREACHABLE") {
    return error instanceof MillraceError && error.fields["refused"] !== true;
  }
  return code === "MILLRACE_LEASE_LOST";
}

async function problemOf(response: Response, request: string): Promise<MillraceError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text);
  if (problem === undefined) {
    return new MillraceError("MILLRACE_SERVER_UNREACHABLE", {
      message: `What answers at ${response.url} is no Millrace server: ${request} gave ${response.status}.`,
      fields: { status: response.status, refused: true },
    });
  }
  const code = errorCodeOf(problem) ?? "MILLRACE_INTERNAL";
  const source: SourceLocation | undefined = problem.source;
  return new MillraceError(code, {
    message: problem.detail,
    advice: problem.advice ?? catalogue[code].advice,
    fields: problem.fields ?? {},
    ...(source === undefined ? {} : { source }),
  });
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null;
    return typeof value?.code === "string" && typeof value.detail === "string"
      ? (value as Problem)
      : undefined;
  } catch {
    return undefined;
  }
}
