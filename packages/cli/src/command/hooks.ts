import type { Command } from "commander";
import type { WebhookKind } from "@millrace/core";
import type { WebhookView } from "@millrace/protocol";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { formatTable } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";

interface HooksOptions extends ServerOptions {
  readonly json?: boolean;
}

const kindNames: { readonly [kind in WebhookKind]: string } = {
  standard: "Standard Webhooks",
  github: "GitHub",
  stripe: "Stripe",
  slack: "Slack",
  hmac: "HMAC",
  token: "token",
  none: "not verified",
};

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText("after", examples(["millrace hooks", "the addresses to enter at senders"]))
    .action(finish((options: HooksOptions) => listHooks(context, options)));
}

async function listHooks(context: Context, options: HooksOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { items } = await client.get("/webhooks");
  // A server that was not told its public address knows the path alone.
  const hooks = items.map((hook) => ({ ...hook, address: new URL(hook.address, client.url).href }));
  if (options.json) {
    terminal.print(JSON.stringify({ hooks }));
    return exitCodes.succeeded;
  }
  if (hooks.length === 0) {
    terminal.print(
      'No webhooks yet. Export one from a file of the project: webhook("github", { verify: … }).',
    );
    return exitCodes.succeeded;
  }
  for (const line of hookLines(hooks, terminal.paint, terminal.lineWidth())) terminal.print(line);
  return exitCodes.succeeded;
}

/** The address is what is entered at senders: whole, however narrow the terminal; and so is what is missing. */
export function hookLines(hooks: readonly WebhookView[], paint: Colors, width: number): string[] {
  const rows = hooks.map(({ name, address, kind, project }) => [
    paint.bold(name),
    paint.cyan(address),
    kind === "none" ? paint.yellow(kindNames[kind]) : kindNames[kind],
    paint.dim(project),
  ]);
  const lines = formatTable(rows, { width, yields: [3, 2] });
  return hooks.flatMap(({ name, address, missingSecrets }, at) => {
    const line = lines[at] ?? "";
    return [
      ...(line.includes(address) ? [line] : [paint.bold(name), `  ${paint.cyan(address)}`]),
      ...(missingSecrets.length === 0
        ? []
        : [`  ${paint.red(`the server lacks ${missingSecrets.join(", ")}`)}`]),
    ];
  });
}
