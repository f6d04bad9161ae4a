/**
 * How many requests one address may make in a second: a reader that asks in a circle is held off before it costs others their
 * answers. (`@fastify/rate-limit` does it, too; its import costs each server 20 ms of its start, for this one map.)
 */
import { MillraceError } from "@millrace/core";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../engine/clock.ts";

const windowMs = 1_000;

export function addRequestRate(
  api: FastifyInstance,
  { clock, perSecond }: { readonly clock: Clock; readonly perSecond: number },
): void {
  // Forgotten with their second, so that it never holds more addresses than asked in one.
  let counts = new Map<string, number>();
  let since = clock.monotonic();
  api.addHook("onRequest", (request, _reply, done) => {
    const now = clock.monotonic();
    if (now - since >= windowMs) {
      counts = new Map();
      since = now;
    }
    const count = (counts.get(request.ip) ?? 0) + 1;
    counts.set(request.ip, count);
    done(count > perSecond ? tooMany(request.ip, perSecond) : undefined);
  });
}

function tooMany(address: string, perSecond: number): MillraceError {
  return new MillraceError("MILLRACE_TOO_MANY_REQUESTS", {
    message: `More than ${perSecond} requests came from ${address} within a second.`,
    fields: { perSecond },
  });
}
