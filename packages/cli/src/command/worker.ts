import { join } from "node:path";
import { catalogue, errorCodeOf } from "@millrace/core";
import { startWorker, type WorkerEvent } from "@millrace/worker";
import type { Command } from "commander";
import { stateFolderOf, urlDefault } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import { fromFolder, type Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { onInterrupt } from "../interrupt.ts";
import { ownVersion } from "../own-version.ts";
import { ConnectionReport } from "../stack/connection-report.ts";
import { TransferReport } from "../stack/transfer-report.ts";
import { examples, gatherNames, gatherPairs, readCount, readSlots, slotsDefault } from "../stack/options.ts";
import { formatTime, plural } from "../terminal/format.ts";

interface WorkerCommandOptions {
  readonly url?: string;
  readonly queues?: readonly string[];
  readonly slots?: number;
  readonly name?: string;
  readonly labels?: { readonly [name: string]: string };
  readonly cache?: string;
  readonly memory?: number;
  readonly allowInspect?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .option("--url <url>", `the server's address (default: MILLRACE_URL, or ${urlDefault})`)
    .option("--queues <names>", "take tasks of these queues (default: default)", gatherNames)
    .option(
      "--slots <count>",
      "attempts that run at once (default: one per processor, at least 4)",
      readSlots,
    )
    .option("--name <name>", "shown to people (default: this machine's name)")
    .option("--labels <name=value>", "a label; repeat it for more", gatherPairs)
    .option("--cache <folder>", "keep bundles and large values here")
    .option("--memory <MiB>", "bound of one task's process", readCount)
    .option(
      "--allow-inspect",
      "let `millrace run --inspect` open a debugger's port on this machine's loopback",
    )
    .option("--json", "print events as lines of JSON")
    .addHelpText(
      "after",
      `${examples(
        ["MILLRACE_TOKEN=… millrace worker --url https://millrace.example.com", "on any machine"],
        ["millrace worker --queues default,gpu --slots 2", ""],
      )}

The token of the server stands in MILLRACE_TOKEN. The first Ctrl-C or SIGTERM drains: it takes nothing new and stops when
what it runs has ended. A second one stops at once, and what ran is repeated elsewhere.`,
    )
    .action(finish((options: WorkerCommandOptions) => runWorker(context, options)));
}

async function runWorker(context: Context, options: WorkerCommandOptions): Promise<number> {
  const { terminal, environment } = context;
  let refused = false;
  const url = options.url ?? environment.url ?? urlDefault;
  const reports = { connection: new ConnectionReport(url), transfers: new TransferReport() };
  const tell = (event: string, text: string, fields: object): void => {
    if (options.json) return terminal.print(JSON.stringify({ event, ...fields }));
    const now = new Date();
    terminal.print(`${terminal.paint.dim(formatTime(now, now))} ${text}`);
  };
  const worker = await startWorker({
    url,
    queues: options.queues ?? ["default"],
    slots: options.slots ?? slotsDefault(),
    cacheFolder:
      options.cache === undefined
        ? join(stateFolderOf(context, {}), "worker")
        : fromFolder(context, options.cache),
    workFolder: context.folder,
    allowInspect: options.allowInspect === true,
    version: ownVersion(),
    onEvent: (event) => {
      refused ||= event.kind === "refused";
      const text = describeEvent(event, reports);
      const isForPrograms = options.json === true && event.kind === "disconnected";
      if (text !== undefined || isForPrograms) tell(event.kind, text ?? "", event);
    },
    ...(environment.token === undefined ? {} : { token: environment.token }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.labels === undefined ? {} : { labels: options.labels }),
    ...(options.memory === undefined ? {} : { childMemoryMb: options.memory }),
  });
  const interrupts = onInterrupt(
    () => {
      tell("draining", `Draining: ${plural(worker.active, "attempt")} under way. Again to stop at once.`, {
        active: worker.active,
      });
      void worker.drain();
    },
    () => void worker.stop(),
  );
  await worker.closed;
  interrupts.release();
  return refused ? exitCodes.failed : exitCodes.succeeded;
}

function describeEvent(
  event: WorkerEvent,
  { connection, transfers }: { readonly connection: ConnectionReport; readonly transfers: TransferReport },
): string | undefined {
  switch (event.kind) {
    case "connected":
    case "disconnected":
      return connection.lineFor(event, Date.now());
    case "refused":
      return [`The server refuses this worker: ${event.code} ${event.message}`, ...adviceOf(event)].join(
        "\n  ",
      );
    case "lease_lost":
      if (event.attempts === 0) return undefined;
      return `Away too long: ${plural(event.attempts, "attempt")} ended here and will be repeated.`;
    case "child_start_failed":
      return `Could not start a process: ${event.message}`;
    case "transfer_failed":
      return transfers.lineFor(event, Date.now());
    default:
      return undefined;
  }
}

function adviceOf(event: { readonly code: string }): string[] {
  const code = errorCodeOf(event);
  return code === undefined ? [] : [catalogue[code].advice];
}
