import type { Page, WebhookView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "../api-context.ts";
import { route, type Route } from "../route.ts";

export function webhookRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listWebhooks, async (): Promise<Page<WebhookView>> => ({
      items: await context.webhooks.list(),
    })),
  ];
}
