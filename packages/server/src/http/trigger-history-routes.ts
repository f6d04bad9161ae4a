import type { ApiContext } from "./api-context.ts";
import type { Route } from "./route.ts";
import { triggerHistory } from "./trigger-history.ts";

export function triggerHistoryRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/triggers/:pipeline/history",
      summary:
        "What a trigger, or a key of it, went through: each entry and each deadline that changed it, with the tree as it stood then",
      query: {
        key: "Of this key: needed where the trigger has keys",
        until: "Up to this position of the log, or this time (RFC 3339); all that it was told, when absent",
        since: "Moments from then on (RFC 3339)",
        limit: "How many moments, 500 at most: the newest",
      },
      handle: (request) => triggerHistory(context, request),
    },
  ];
}
