import { MillraceError } from "@millrace/core";
import type { Command } from "commander";
import type { MoveRequest } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { findRunId } from "../api/find-run.ts";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";

interface MoveOptions extends ServerOptions {
  readonly to?: string;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("<run>", "its id, or the beginning of it"))
    .option(
      "--to <bundle>",
      "a bundle's hash, or the beginning of it; the newest that is deployed when absent",
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace move r0v2", "what it does next, it does with the newest code"],
        ["millrace move r0v2 --to 3f2a", "with this bundle; `millrace rollback --list` lists them"],
      ),
    )
    .action(finish((run: string, options: MoveOptions) => move(context, run, options)));
}

async function move(context: Context, given: string, options: MoveOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServerToChange(context, options);
  const id = await findRunId(client, given);
  const { run: before } = await client.get(`/runs/${id}`);
  const bundle = options.to === undefined ? undefined : await findBundle(client, before.project, options.to);
  const request: MoveRequest = bundle === undefined ? {} : { bundle };
  const { run } = await client.post(`/runs/${id}/move`, request);
  if (options.json) terminal.print(JSON.stringify({ run }));
  else if (before.bundle === run.bundle) terminal.print(`${id} has the bundle ${short(run.bundle)} already.`);
  else terminal.print(`${id} goes on with the bundle ${short(run.bundle)}, after ${short(before.bundle)}.`);
  return exitCodes.succeeded;
}

function short(bundle: string): string {
  return bundle.slice(0, 12);
}

/** The only bundle of the project that begins so. */
async function findBundle(client: ApiClient, project: string, given: string): Promise<string> {
  const deployments = await client.list("/deployments", { project });
  const bundles = [...new Set(deployments.map(({ bundle }) => bundle))];
  const meant = bundles.filter((bundle) => bundle.startsWith(given));
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only;
  const some = (meant.length > 1 ? meant : bundles).slice(0, 5).map(short).join(", ");
  throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
    message:
      meant.length > 1
        ? `${meant.length} bundles of ${project} begin with \`${given}\`: ${some}.`
        : `No bundle of ${project} begins with \`${given}\`.`,
    advice: meant.length > 1 ? "Write more of it." : `Its newest: ${some}.`,
    fields: { bundle: given },
  });
}
