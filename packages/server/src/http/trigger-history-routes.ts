import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "./api-context.ts";
import { route, type Route } from "./route.ts";
import { triggerHistory } from "./trigger-history.ts";

export function triggerHistoryRoutes(context: ApiContext): Route[] {
  return [route(operations.getTriggerHistory, (request) => triggerHistory(context, request))];
}
