/**
 * What was read and what is changed (RFC 9110, §13). An answer's ETag has two parts, `"STATE.CONTENT"`: a change asks for the
 * first in If-Match, and If-None-Match for both. A run's content changes with each of its nodes, its state does not.
 *
 * E1: between the look at what is there and the change of it nobody else changes it: changes of pools, pipelines and sources
 *     come one after the other, on all servers. A run goes on by itself: its state is looked at before the command, which
 *     judges it again.
 */
import { createHash } from "node:crypto";
import { canonicalJson, MillraceError, type Json } from "@millrace/core";
import { withChangeLock, type Database } from "@millrace/store";
import { changesWaitingMax } from "./limits.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Names the state of what is answered; what does not count for changes is left out of it. */
export function tellState(reply: FastifyReply, state: Json): void {
  reply.header("etag", digest(canonicalJson(state)));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}

/** Throws MILLRACE_PRECONDITION_FAILED. `state`: what is there now. */
export async function requireMatch(request: FastifyRequest, state: () => Promise<Json>): Promise<void> {
  const wanted = request.headers["if-match"];
  if (wanted === undefined) return;
  const now = digest(canonicalJson(await state()));
  if (tagsIn(wanted).some((tag) => tag === "*" || tag.split(".")[0] === now)) return;
  throw new MillraceError("MILLRACE_PRECONDITION_FAILED", {
    message: `If-Match names ${wanted.slice(0, 100)}, and what is there now is "${now}".`,
    fields: { etag: `"${now}"` },
  });
}

/** Without their quotes. Weak ones count, too: what packs answers on their way weakens them. */
function tagsIn(header: string): readonly string[] {
  return header.split(",").map((one) =>
    one
      .trim()
      .replace(/^W\//, "")
      .replace(/^"(.*)"$/, "$1"),
  );
}

/** Answers of GET get their ETag, and are not sent again to who has them. Before they are packed. */
export function addTags(api: FastifyInstance): void {
  api.addHook("onSend", async (request, reply, payload) => {
    const state = reply.getHeader("etag");
    if (typeof payload !== "string" || reply.statusCode !== 200) return payload;
    if (request.method !== "GET" && request.method !== "HEAD") {
      if (typeof state === "string") reply.header("etag", `"${state}"`);
      return payload;
    }
    const content = digest(payload);
    const tag = state === undefined ? content : `${String(state)}.${content}`;
    reply.header("etag", `"${tag}"`);
    const had = request.headers["if-none-match"];
    if (had === undefined || !tagsIn(had).some((one) => one === "*" || one === tag)) return payload;
    reply.code(304).removeHeader("content-length");
    return null;
  });
}

/** Changes by operators, which are few: one at a time here, so that they take one connection more at most (E1). */
export class Changes {
  readonly #database: Database;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `state`: of the resource as it is before the change. */
  async of<Answer>(
    resource: string,
    request: FastifyRequest,
    { state, act }: { readonly state: () => Promise<Json>; readonly act: () => Promise<Answer> },
  ): Promise<Answer> {
    if (this.#waiting >= changesWaitingMax)
      throw new MillraceError("MILLRACE_OVERLOADED", {
        message: `${changesWaitingMax} changes of pools, pipelines and sources wait already.`,
      });
    this.#waiting += 1;
    const turn = this.#last.then(() =>
      withChangeLock(this.#database, resource, async () => {
        await requireMatch(request, state);
        return act();
      }),
    );
    const over = (): void => void (this.#waiting -= 1);
    this.#last = turn.then(over, over);
    return turn;
  }
}
