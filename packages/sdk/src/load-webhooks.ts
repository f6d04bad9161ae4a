/** Collects the webhooks that a project's modules export. */
import type { MillraceError, WebhookDefinition } from "@millrace/core";
import { handleOfKind, type DescribeOptions } from "./definition.ts";
import { loadDefinitions } from "./load-definitions.ts";
import type { WebhookHandle } from "./webhook.ts";

export function loadWebhooks(
  exported: readonly unknown[],
  options: DescribeOptions,
  errors: MillraceError[],
): WebhookDefinition[] {
  const handles = exported.map((value) => handleOfKind<WebhookHandle>(value, "webhook"));
  const words = { code: "MILLRACE_WEBHOOK_INVALID", one: "webhook", many: "webhooks" } as const;
  return loadDefinitions<WebhookDefinition, WebhookHandle>(handles, words, options, errors).map(
    ({ definition }) => definition,
  );
}
