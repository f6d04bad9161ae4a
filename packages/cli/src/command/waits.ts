import type { Command } from "commander";
import { requirePipeline } from "../api/find-pipeline.ts";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, readCount, withServerOptions } from "../stack/options.ts";
import { waitLines } from "../wait-view/list.ts";

interface WaitsOptions extends ServerOptions {
  readonly pipeline?: string;
  readonly type?: string;
  readonly kind?: "event" | "approval" | "time";
  readonly limit: number;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--pipeline <name>", "of this pipeline only")
    .option("--type <type>", "those that ask for events of this type only")
    .option("--kind <kind>", "of this kind only: event, approval, time")
    .option("--limit <count>", "how many", readCount, 20)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace waits", "what runs wait for"],
        ["millrace waits --type order.paid --limit 100", "who waits for such an event"],
        ["millrace show r0v2", "what one run waits for, and what it has gathered"],
      ),
    )
    .action(finish((options: WaitsOptions) => listWaits(context, options)));
}

async function listWaits(context: Context, options: WaitsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { pipeline, type, kind, limit } = options;
  if (pipeline !== undefined) await requirePipeline(client, pipeline);
  const waits = await client.list("/waits", { pipeline, type, kind }, limit);
  if (options.json) {
    terminal.print(JSON.stringify({ waits }));
    return exitCodes.succeeded;
  }
  if (waits.length === 0)
    terminal.print((pipeline ?? type ?? kind) === undefined ? "Nothing waits." : "No such waits.");
  const view = { paint: terminal.paint, now: new Date(), width: terminal.lineWidth() };
  for (const line of waitLines(waits, view)) terminal.print(line);
  return exitCodes.succeeded;
}
