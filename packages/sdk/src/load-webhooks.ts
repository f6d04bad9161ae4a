/** Collects the webhooks that a project's modules export. */
import { errorCodeOf, MillraceError, type WebhookDefinition } from "@millrace/core";
import { definitionBrand } from "./definition.ts";
import { formatSource, locate } from "./source.ts";
import type { WebhookHandle } from "./webhook.ts";

/** By identity, because files may export each other's webhooks again. What is wrong with one goes into `errors`. */
export function loadWebhooks(
  exported: readonly unknown[],
  options: { readonly captureSource: boolean; readonly root: string | undefined },
  errors: MillraceError[],
): WebhookDefinition[] {
  const found = new Map<string, WebhookHandle>();
  const definitions: WebhookDefinition[] = [];
  for (const value of exported) {
    const handle = handleOf(value);
    const other = handle && found.get(handle.name);
    if (!handle || other === handle) continue;
    if (other) {
      errors.push(duplicateName(other, handle, options.root));
      continue;
    }
    found.set(handle.name, handle);
    try {
      definitions.push(handle.describe(options));
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      errors.push(error as MillraceError);
    }
  }
  return definitions;
}

function handleOf(exported: unknown): WebhookHandle | undefined {
  if (exported === null || typeof exported !== "object") return undefined;
  try {
    const handle = (exported as { readonly [definitionBrand]?: WebhookHandle })[definitionBrand];
    return handle?.kind === "webhook" ? handle : undefined;
  } catch {
    // A proxy that throws on unknown properties is no definition.
    return undefined;
  }
}

function duplicateName(first: WebhookHandle, second: WebhookHandle, root: string | undefined): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError("MILLRACE_WEBHOOK_INVALID", {
    message: `Two webhooks have the name "${second.name}": ${places}.`,
    advice: "Rename one of them.",
    fields: { webhook: second.name },
    ...(source ? { source } : {}),
  });
}
