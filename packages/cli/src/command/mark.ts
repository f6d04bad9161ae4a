import { MillraceError, nearestName, type Json } from "@millrace/core";
import type { Command } from "commander";
import type { MarkRequest } from "@millrace/protocol";
import { findRunId, requireNode } from "../api/find-run.ts";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { changeLines } from "../run-view/change.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { stateLabel } from "../terminal/marks.ts";

interface MarkOptions extends ServerOptions {
  readonly item?: string;
  readonly output?: string;
  readonly preview?: boolean;
  readonly json?: boolean;
}

const states = ["succeeded", "failed", "skipped"] as const;

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(
    command
      .argument("<run>", "its id, or the beginning of it")
      .argument("<node>", "the node")
      .argument("<state>", states.join(", ")),
  )
    .option("--item <path>", "this item of a fan-out only")
    .option("--output <json>", "the output of a node that is marked succeeded")
    .option("--preview", "only show what would be decided again")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace mark r0v2 load skipped", "go on without it"],
        [`millrace mark r0v2 count succeeded --output '{"rows": 3}'`, "with what those after it read"],
      ),
    )
    .action(
      finish((run: string, node: string, state: string, options: MarkOptions) =>
        mark(context, { run, node, state }, options),
      ),
    );
}

interface Given {
  readonly run: string;
  readonly node: string;
  readonly state: string;
}

async function mark(context: Context, given: Given, options: MarkOptions): Promise<number> {
  const state = readState(given.state);
  const output = options.output === undefined ? undefined : readOutput(options.output);
  const client = await requireServerToChange(context, options);
  const id = await findRunId(client, given.run);
  const { nodes } = await client.get(`/runs/${id}`);
  const request: MarkRequest = {
    node: requireNode(
      given.node,
      nodes.map((known) => known.id),
    ),
    state,
    ...(options.item === undefined ? {} : { item: options.item }),
    ...(output === undefined ? {} : { output }),
  };
  const { terminal } = context;
  if (options.preview) {
    const preview = await client.preview(`/runs/${id}/mark`, request);
    if (options.json) terminal.print(JSON.stringify(preview));
    else for (const line of changeLines(preview, terminal.paint)) terminal.print(line);
    return exitCodes.succeeded;
  }
  const { run } = await client.post(`/runs/${id}/mark`, request);
  if (options.json) {
    terminal.print(JSON.stringify({ run }));
    return exitCodes.succeeded;
  }
  terminal.print(
    `Marked ${given.node} of ${run.id} ${state}. The run is ${stateLabel(run.state, terminal.paint)}.`,
  );
  return exitCodes.succeeded;
}

function readState(text: string): MarkRequest["state"] {
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  const near = nearestName(text, states);
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `A node is marked ${states.join(", ")}; found ${JSON.stringify(text)}.`,
    advice: near === undefined ? "Choose one of the three." : `Did you mean \`${near}\`?`,
  });
}

function readOutput(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `\`--output\` is not JSON: ${(cause as Error).message}.`,
      advice: "Quote it for the shell: '{\"rows\": 3}'.",
    });
  }
}
