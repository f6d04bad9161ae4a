import type { Command } from "commander";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import { requirePipeline } from "../api/find-pipeline.ts";
import { askedLines } from "../approval-view/asked.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, readCount, withServerOptions } from "../stack/options.ts";

interface ApprovalsOptions extends ServerOptions {
  readonly pipeline?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--pipeline <name>", "of this pipeline only")
    .option("--limit <count>", "how many", readCount, 20)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace approvals", "what waits for an answer, the oldest first"],
        ["millrace approve r0v2", "answers the only one of a run"],
        ["millrace approvals --json", "for scripts"],
      ),
    )
    .action(finish((options: ApprovalsOptions) => listApprovals(context, options)));
}

async function listApprovals(context: Context, options: ApprovalsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { pipeline, limit } = options;
  if (pipeline !== undefined) await requirePipeline(client, pipeline);
  const approvals = await client.list("/approvals", { pipeline }, limit);
  if (options.json) {
    terminal.print(JSON.stringify({ approvals }));
    return exitCodes.succeeded;
  }
  if (approvals.length === 0) terminal.print("Nothing waits for an answer.");
  const now = new Date();
  for (const approval of approvals)
    for (const line of askedLines(approval, terminal.paint, now)) terminal.print(line);
  return exitCodes.succeeded;
}
