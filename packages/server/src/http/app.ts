/** The HTTP application: access first, except at webhooks, then the routes; every refusal leaves as a problem. */
import { isNestedWithin, jsonDepthMax, MillraceError, type Json } from "@millrace/core";
import { apiPrefix, type Problem } from "@millrace/protocol";
import { fastify, type FastifyInstance, type FastifyReply } from "fastify";
import type { Access } from "./access.ts";
import { addAnswerHeaders, addPacking, addRequestIds, requestIds } from "./answers.ts";
import type { ApiContext } from "./api-context.ts";
import { assetRoutes } from "./asset-routes.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { bundleRoutes } from "./bundle-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { deploymentRoutes } from "./deployment-routes.ts";
import { bodyBytesMax } from "./limits.ts";
import { openApiDocument } from "./openapi.ts";
import type { PageFiles } from "./page-files.ts";
import { overviewRoutes } from "./overview/overview-routes.ts";
import { pipelineRoutes } from "./pipeline-routes.ts";
import { poolRoutes } from "./pool-routes.ts";
import {
  eventTooLarge,
  expectedError,
  isTooLarge,
  problemOf,
  problemType,
  requestTooLarge,
} from "./problem.ts";
import { addRoute, type Route } from "./route.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { runRoutes } from "./run-routes.ts";
import { logLineRoutes } from "./log-lines.ts";
import { runStoryRoutes } from "./run-story-routes.ts";
import { serverRoutes } from "./server-routes.ts";
import { probeRoutes } from "./probe-routes.ts";
import { systemRoutes } from "./system-routes.ts";
import { sourceRoutes } from "./source-routes.ts";
import { addWebhookDoor, judgesItself } from "./webhook/webhook-door.ts";
import { webhookRoutes } from "./webhook/webhook-routes.ts";
import { triggerRoutes } from "./trigger-routes.ts";
import { waitRoutes } from "./wait-routes.ts";

/** What a request wraps a value of the user's in: `{ params: … }`. */
const bodyDepth = 1;
/** When a reader may come back after MILLRACE_OVERLOADED and its like, in seconds. */
const retryAfterSeconds = 1;

function apiRoutes(context: ApiContext): Route[] {
  const routes = [
    ...serverRoutes(context),
    ...runRoutes(context),
    ...runStoryRoutes(context),
    ...logLineRoutes(context),
    ...pipelineRoutes(context),
    ...bundleRoutes(context),
    ...deploymentRoutes(context),
    ...poolRoutes(context),
    ...eventRoutes(context),
    ...webhookRoutes(context),
    ...sourceRoutes(context),
    ...probeRoutes(context),
    ...triggerRoutes(context),
    ...scheduleRoutes(context),
    ...assetRoutes(context),
    ...approvalRoutes(context),
    ...waitRoutes(context),
    ...overviewRoutes(context),
    ...systemRoutes(context),
  ];
  const document: Route = {
    method: "GET",
    path: "/openapi.json",
    summary: "This document",
    handle: () => openApiDocument([...routes, document], context.version),
  };
  return [...routes, document];
}

/** `page`: absent where the server has none to give. */
export function makeApp(context: ApiContext, access: Access, page?: PageFiles): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyBytesMax,
    exposeHeadRoutes: false,
    genReqId: requestIds(context.processId.slice(0, 8)),
    forceCloseConnections: true,
    // What is refused before it has a route, such as an address that is none.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as FastifyReply, problemOf(error)),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    parseBody(body as string, done);
  });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
  addRequestIds(app);
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.is404 && page?.isMine(request)) access.checkSite(request.headers);
    else if (!judgesItself(request)) access.check(request.headers);
    done();
  });
  app.setErrorHandler((cause, request, reply) => {
    const error = isTooLarge(cause) ? requestTooLarge(request.routeOptions.bodyLimit, cause) : cause;
    if (!expectedError(error))
      context.log.error(
        { err: error, method: request.method, url: request.url, request: request.id },
        "a request failed unexpectedly",
      );
    return sendProblem(reply, problemOf(error));
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (page?.isMine(request) && (await page.answer(request, reply))) return reply;
    throw new MillraceError("MILLRACE_NOT_FOUND", {
      message: nothingFor(`${request.method} ${request.url.split("?")[0]}`),
    });
  });
  void app.register(async (door) => addWebhookDoor(door, context));
  const routes = apiRoutes(context);
  void app.register(
    async (api) => {
      addAnswerHeaders(api);
      addPacking(api);
      for (const route of routes) if (!route.rawBodies) addRoute(api, route);
      await api.register(async (raw) => {
        raw.removeAllContentTypeParsers();
        raw.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
        raw.setErrorHandler((error, { routeOptions }) => {
          throw isTooLarge(error)
            ? eventTooLarge("A request with events", routeOptions.bodyLimit, error)
            : error;
        });
        for (const route of routes) if (route.rawBodies) addRoute(raw, route);
      });
    },
    { prefix: apiPrefix },
  );
  return app;
}

/** Whoever enters a webhook's address in a browser has found the right place. */
function nothingFor(what: string): string {
  const isHook = /^(?!POST )[A-Z]+ \/hooks\/[^/]+$/.test(what);
  return isHook ? `Deliveries come by POST, and this is ${what}.` : `There is nothing for ${what}.`;
}

function parseBody(text: string, done: (error: Error | null, body?: unknown) => void): void {
  if (text === "") {
    done(null, {});
    return;
  }
  let body: Json;
  try {
    body = JSON.parse(text) as Json;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    done(new MillraceError("MILLRACE_REQUEST_INVALID", { message: `The body is not JSON: ${why}`, cause }));
    return;
  }
  if (isNestedWithin(body, jsonDepthMax + bodyDepth)) done(null, body);
  else
    done(
      new MillraceError("MILLRACE_REQUEST_INVALID", {
        message: `The body is nested deeper than ${jsonDepthMax} levels.`,
      }),
    );
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 503 || problem.status === 429) reply.header("retry-after", retryAfterSeconds);
  return reply.code(problem.status).header("content-type", problemType).send(JSON.stringify(problem));
}
