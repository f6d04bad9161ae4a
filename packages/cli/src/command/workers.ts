import type { Command } from "commander";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatTable } from "../terminal/format.ts";

interface WorkersOptions extends ServerOptions {
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText("after", examples(["millrace workers", "who is connected, and how busy"]))
    .action(finish((options: WorkersOptions) => listWorkers(context, options)));
}

async function listWorkers(context: Context, options: WorkersOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const workers = (await client.get("/workers")).items;
  if (options.json) {
    terminal.print(JSON.stringify({ workers }));
    return exitCodes.succeeded;
  }
  if (workers.length === 0) {
    terminal.print("No worker is connected. Start one with `millrace worker --url URL`.");
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const nodes = new Set(workers.map(({ node }) => node));
  const now = new Date();
  const rows = workers.map((worker) => [
    worker.draining ? paint.yellow("◷ draining") : paint.green("● connected"),
    paint.bold(worker.name),
    `${worker.busy}/${worker.slots}`,
    paint.dim("busy"),
    paint.dim(`queues ${worker.queues.join(", ")}`),
    paint.dim(formatAgo(new Date(worker.connectedAt), now)),
    ...(nodes.size > 1 ? [paint.dim(`server ${worker.node}`)] : []),
    paint.dim(
      Object.entries(worker.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(" "),
    ),
  ]);
  for (const line of formatTable(rows, { align: ["left", "left", "right"], width: terminal.lineWidth() }))
    terminal.print(line);
  return exitCodes.succeeded;
}
