/**
 * The routes below `/hooks`: bodies come as bytes, and signatures stand in for Host, Origin and token (the design, §10).
 *
 * O1: anybody can reach it, so that deliveries under way have a bound, and so has the time of a body: who sends a
 *     byte now and then takes no other one's place for long.
 */
import { MillraceError } from "@millrace/core";
import { deliveryBytesMax, deliveryTooLarge } from "@millrace/protocol/webhook-delivery";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Alarm } from "../../engine/clock.ts";
import { deliveriesMax, deliveryBodyMs } from "../limits.ts";
import { isTooLarge } from "../problem.ts";
import { deliver, type DeliveryContext } from "./delivery.ts";

/** A route's configuration: it judges by itself who may come in. */
export interface OpenRoute {
  readonly judgesItself: true;
}

export function judgesItself(request: FastifyRequest): boolean {
  return (request.routeOptions.config as Partial<OpenRoute> | undefined)?.judgesItself === true;
}

export function addWebhookDoor(app: FastifyInstance, context: DeliveryContext): void {
  let underWay = 0;
  const bodies = new WeakMap<FastifyRequest, Alarm>();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  // Before a body is read: each may hold its bytes for as long as its sender takes.
  app.addHook("onRequest", (request, reply, done) => {
    if (underWay >= deliveriesMax) {
      done(
        new MillraceError("MILLRACE_EVENTS_OVERLOADED", {
          message: `${underWay} deliveries are under way; this one was not recorded.`,
        }),
      );
      return;
    }
    underWay += 1;
    const alarm = context.clock.after(deliveryBodyMs, () => request.raw.destroy());
    bodies.set(request, alarm);
    reply.raw.once("close", () => {
      underWay -= 1;
      alarm.cancel();
    });
    done();
  });
  app.addHook("preValidation", (request, _reply, done) => {
    bodies.get(request)?.cancel();
    done();
  });
  app.setErrorHandler((error) => {
    throw translated(error);
  });
  app.route({
    method: "POST",
    url: "/hooks/:name",
    bodyLimit: deliveryBytesMax,
    config: { judgesItself: true } satisfies OpenRoute,
    handler: async (request, reply) => {
      const { name } = request.params as { readonly name: string };
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const answer = await deliver(context, name, { headers: singleHeaders(request), body });
      if ("accepted" in answer) reply.code(202);
      return reply.header("content-type", "application/json").send(JSON.stringify(answer));
    },
  });
}

/** Node joins most of what is repeated; what it keeps as a list is of no use here. */
function singleHeaders(request: FastifyRequest): { [name: string]: string | undefined } {
  const headers: { [name: string]: string | undefined } = {};
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === "string") headers[name] = value;
  return headers;
}

function translated(error: unknown): unknown {
  if (isTooLarge(error)) return deliveryTooLarge(error);
  const { code } = error as { readonly code?: unknown };
  if (code !== "FST_ERR_CTP_INVALID_MEDIA_TYPE") return error;
  return new MillraceError("MILLRACE_WEBHOOK_CONTENT", {
    message: "The delivery's content type is no media type.",
    cause: error,
  });
}
