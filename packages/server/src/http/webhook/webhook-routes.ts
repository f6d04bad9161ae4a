import type { Page, WebhookView } from "@millrace/protocol";
import type { ApiContext } from "../api-context.ts";
import type { Route } from "../route.ts";

export function webhookRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/webhooks",
      summary: "The webhooks of all projects, with their addresses and the secrets that this server lacks",
      handle: async (): Promise<Page<WebhookView>> => ({ items: await context.webhooks.list() }),
    },
  ];
}
