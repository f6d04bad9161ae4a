/** The HTTP application: access first, except at webhooks, then the routes; every refusal leaves as a problem. */
import { isNestedWithin, jsonDepthMax, MillraceError, type Json } from "@millrace/core";
import { apiPrefix, type Problem } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Access } from "./access.ts";
import { addAnswerHeaders, addPacking, answerHeaders, requestIds } from "./answers.ts";
import type { ApiContext } from "./api-context.ts";
import { assetRoutes } from "./asset-routes.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { bundleRoutes } from "./bundle-routes.ts";
import { assetVersionRoutes } from "./asset-version-routes.ts";
import { eventPageRoutes } from "./event-page-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { deploymentRoutes } from "./deployment-routes.ts";
import {
  addressPartMax,
  bodyBytesMax,
  connectionIdleMs,
  connectionsMax,
  requestHeadersMs,
  requestMs,
} from "./limits.ts";
import { lineageRoutes } from "./lineage-routes.ts";
import { openApiDocument } from "./openapi.ts";
import type { PageFiles } from "./page-files.ts";
import { addTags } from "./preconditions.ts";
import { overviewRoutes } from "./overview/overview-routes.ts";
import { rateRoutes } from "./overview/rate-routes.ts";
import { pipelineRoutes } from "./pipeline-routes.ts";
import { pipelineSourceRoutes } from "./pipeline-source-routes.ts";
import { poolRoutes } from "./pool-routes.ts";
import { projectRoutes } from "./project-routes.ts";
import {
  eventTooLarge,
  expectedError,
  isTooLarge,
  problemOf,
  problemType,
  requestTooLarge,
} from "./problem.ts";
import { addRequestRate } from "./request-rate.ts";
import { addRoute, hasHead, route, type Route } from "./route.ts";
import { searchRoutes } from "./search-routes.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { scheduleRunRoutes } from "./schedule-run-routes.ts";
import { runRoutes } from "./run-routes.ts";
import { settingsRoutes } from "./settings-routes.ts";
import { logLineRoutes } from "./log-lines.ts";
import { runStoryRoutes } from "./run-story-routes.ts";
import { serverRoutes } from "./server-routes.ts";
import { probeRoutes } from "./probe-routes.ts";
import { systemRoutes } from "./system-routes.ts";
import { sourceRoutes } from "./source-routes.ts";
import { addWebhookDoor, judgesItself } from "./webhook/webhook-door.ts";
import { webhookRoutes } from "./webhook/webhook-routes.ts";
import { triggerHistoryRoutes } from "./trigger-history-routes.ts";
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
    ...pipelineSourceRoutes(context),
    ...bundleRoutes(context),
    ...deploymentRoutes(context),
    ...poolRoutes(context),
    ...eventRoutes(context),
    ...eventPageRoutes(context),
    ...webhookRoutes(context),
    ...sourceRoutes(context),
    ...probeRoutes(context),
    ...triggerRoutes(context),
    ...triggerHistoryRoutes(context),
    ...scheduleRoutes(context),
    ...scheduleRunRoutes(context),
    ...assetRoutes(context),
    ...assetVersionRoutes(context),
    ...lineageRoutes(context),
    ...approvalRoutes(context),
    ...waitRoutes(context),
    ...overviewRoutes(context),
    ...systemRoutes(context),
    ...searchRoutes(context),
    ...settingsRoutes(context),
    ...rateRoutes(context),
    ...projectRoutes(context),
  ];
  const document = route(operations.getDocument, () =>
    openApiDocument([...routes.map(({ operation }) => operation), operations.getDocument], context.version),
  );
  return [...routes, document];
}

/** How long it waits for those who send and read slowly. */
export interface Patience {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
}

const usualPatience: Patience = {
  headersMs: requestHeadersMs,
  requestMs,
  idleMs: connectionIdleMs,
};

/** `page`: absent where the server has none to give. */
export function makeApp(
  context: ApiContext,
  access: Access,
  {
    page,
    patience = usualPatience,
  }: { readonly page?: PageFiles | undefined; readonly patience?: Patience | undefined },
): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyBytesMax,
    exposeHeadRoutes: false,
    genReqId: requestIds(context.processId.slice(0, 8)),
    forceCloseConnections: true,
    routerOptions: { maxParamLength: addressPartMax },
    requestTimeout: patience.requestMs,
    connectionTimeout: patience.idleMs,
    http: {
      headersTimeout: patience.headersMs,
      connectionsCheckingInterval: Math.min(5_000, patience.headersMs),
    },
    // What is refused before it has a route, such as an address that is none.
    frameworkErrors: (error, _request, reply) => {
      void sendProblem((reply as FastifyReply).headers(answerHeaders), problemOf(error));
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    parseBody(body as string, done);
  });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
  app.server.maxConnections = connectionsMax;
  addAnswerHeaders(app);
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.is404 && page?.isMine(request)) access.checkSite(request.raw);
    else if (!judgesItself(request)) access.check(request.raw);
    done();
  });
  const routes = apiRoutes(context);
  app.setErrorHandler((cause, request, reply) => {
    const error = isTooLarge(cause)
      ? requestTooLarge(request.routeOptions.bodyLimit, cause)
      : request.is404 && !(cause instanceof MillraceError)
        ? nothingThere(routes, request, reply)
        : cause;
    if (!expectedError(error))
      context.log.error(
        { err: error, method: request.method, url: request.url, request: request.id },
        "a request failed unexpectedly",
      );
    return sendProblem(reply, problemOf(error));
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (page?.isMine(request) && (await page.answer(request, reply))) return reply;
    throw nothingThere(routes, request, reply);
  });
  void app.register(async (door) => addWebhookDoor(door, context));
  void app.register(
    async (api) => {
      addRequestRate(api, { clock: context.clock, perSecond: context.requestsPerSecond });
      addTags(api);
      addPacking(api);
      for (const each of routes) if (!each.operation.rawBodies) addRoute(api, each);
      await api.register(async (raw) => {
        raw.removeAllContentTypeParsers();
        raw.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
        raw.setErrorHandler((error, { routeOptions }) => {
          throw isTooLarge(error)
            ? eventTooLarge("A request with events", routeOptions.bodyLimit, error)
            : error;
        });
        for (const each of routes) if (each.operation.rawBodies) addRoute(raw, each);
      });
    },
    { prefix: apiPrefix },
  );
  return app;
}

function nothingThere(routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): MillraceError {
  const path = request.url.split("?")[0]!;
  const allowed = methodsAt(routes, path);
  if (allowed.length === 0)
    return new MillraceError("MILLRACE_NOT_FOUND", { message: nothingFor(`${request.method} ${path}`) });
  reply.header("allow", allowed.join(", "));
  return new MillraceError("MILLRACE_METHOD_NOT_ALLOWED", {
    message: `${path} takes ${allowed.join(", ")}, and this is ${request.method}.`,
  });
}

/** What an address of the API takes. */
function methodsAt(routes: readonly Route[], path: string): readonly string[] {
  const methods = routes.flatMap(({ operation }) => {
    const pattern = `^${apiPrefix}${operation.path.replaceAll(/:\w+/g, "[^/]+")}$`;
    if (!new RegExp(pattern).test(path)) return [];
    return hasHead(operation) ? ["GET", "HEAD"] : [operation.method];
  });
  return [...new Set(methods)].sort();
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
