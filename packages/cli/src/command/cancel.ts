import type { Command } from "commander";
import { findRunId, requireNode } from "../api/find-run.ts";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { stateLabel } from "../terminal/marks.ts";

interface CancelOptions extends ServerOptions {
  readonly item?: string;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(
    command.argument("<run>", "its id, or the beginning of it").argument("[node]", "this node only"),
  )
    .option("--item <path>", "this item of a fan-out only")
    .addHelpText(
      "after",
      examples(
        ["millrace cancel r0v2", "the whole run; teardowns still run"],
        ["millrace cancel r0v2 measure", "one node"],
      ),
    )
    .action(
      finish((run: string, node: string | undefined, options: CancelOptions) =>
        cancel(context, run, node, options),
      ),
    );
}

async function cancel(
  context: Context,
  given: string,
  node: string | undefined,
  options: CancelOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServerToChange(context, options);
  const id = await findRunId(client, given);
  if (node !== undefined) {
    const { nodes } = await client.get(`/runs/${id}`);
    requireNode(
      node,
      nodes.map((known) => known.id),
    );
  }
  const { run } = await client.post(`/runs/${id}/cancel`, {
    ...(node === undefined ? {} : { node }),
    ...(options.item === undefined ? {} : { item: options.item }),
  });
  const what = node === undefined ? run.id : `${node} of ${run.id}`;
  terminal.print(`Asked to cancel ${what}. It is now ${stateLabel(run.state, terminal.paint)}.`);
  return exitCodes.succeeded;
}
