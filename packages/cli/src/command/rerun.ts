import { MillraceError } from "@millrace/core";
import type { Command } from "commander";
import type { RerunRequest } from "@millrace/protocol";
import { findRunId, requireNode } from "../api/find-run.ts";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { changeLines } from "../run-view/change.ts";
import { examples, gatherNames, withServerOptions } from "../stack/options.ts";

interface RerunOptions extends ServerOptions {
  readonly fromFailed?: boolean;
  readonly node?: readonly string[];
  readonly all?: boolean;
  readonly sameBundle?: boolean;
  readonly preview?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("<run>", "its id, or the beginning of it"))
    .option("--from-failed", "what did not succeed, and all downstream (the default)")
    .option("--node <name>", "this node and all downstream; repeat it for more", gatherNames)
    .option("--all", "the whole run")
    .option("--same-bundle", "with the code that it ran with, not the newest")
    .option("--preview", "only show what would run again")
    .option("-d, --detach", "don't wait for its end")
    .option("--json", "print one JSON document when it has ended: { run, nodes }")
    .addHelpText(
      "after",
      examples(
        ["millrace rerun r0v2", "from where it failed, with the newest code"],
        ["millrace rerun r0v2 --node measure", "a node and all that depends on it"],
        ["millrace rerun r0v2 --all --same-bundle", "everything, as it was"],
        ["millrace rerun r0v2 --preview", "what would run again, and what would stay"],
      ),
    )
    .action(finish((run: string, options: RerunOptions) => rerun(context, run, options)));
}

async function rerun(context: Context, given: string, options: RerunOptions): Promise<number> {
  const scope = scopeOf(options);
  const client = await requireServerToChange(context, options);
  const id = await findRunId(client, given);
  if (options.node) {
    const { nodes } = await client.get(`/runs/${id}`);
    for (const node of options.node)
      requireNode(
        node,
        nodes.map((known) => known.id),
      );
  }
  const request: RerunRequest = {
    scope,
    ...(options.node === undefined ? {} : { nodes: options.node }),
    ...(options.sameBundle ? { sameBundle: true } : {}),
  };
  if (options.preview) {
    const preview = await client.preview(`/runs/${id}/rerun`, request);
    if (options.json) context.terminal.print(JSON.stringify(preview));
    else for (const line of changeLines(preview, context.terminal.paint)) context.terminal.print(line);
    return exitCodes.succeeded;
  }
  const { run } = await client.post(`/runs/${id}/rerun`, request);
  if (options.detach) {
    if (options.json) context.terminal.print(JSON.stringify({ run }));
    else context.terminal.print(`${run.id}  generation ${run.generation}`);
    return exitCodes.succeeded;
  }
  const { followOnServer } = await import("../stack/run.ts");
  return followOnServer(context, client, run, options);
}

function scopeOf(options: RerunOptions): RerunRequest["scope"] {
  const chosen = [options.fromFailed, options.node, options.all].filter((choice) => choice !== undefined);
  if (chosen.length > 1) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: "`--from-failed`, `--node` and `--all` exclude each other.",
      advice: "Choose one of them.",
    });
  }
  if (options.all) return "all";
  return options.node ? "nodes" : "failed";
}
