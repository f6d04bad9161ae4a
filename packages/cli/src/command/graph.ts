import { foreignNames, MillraceError, nearestName, type PipelineDefinition } from "@millrace/core";
import type { Command } from "commander";
import { requirePipeline, unknownPipeline } from "../api/find-pipeline.ts";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { findProjectRoot } from "../project-root.ts";
import { mermaidOf, textGraphOf } from "../run-view/graph.ts";
import { examples, withServerOptions } from "../stack/options.ts";

interface GraphOptions extends ServerOptions {
  readonly format: string;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("<pipeline>", "its name"))
    .option("--format <format>", "text or mermaid", "text")
    .addHelpText(
      "after",
      `${examples(["millrace graph hello", ""], ["millrace graph hello --format mermaid > hello.mmd", "for documents"])}

In a project's folder it is read from the files, without a server; with --url, or elsewhere, from the server.`,
    )
    .action(finish((name: string, options: GraphOptions) => drawGraph(context, name, options)));
}

async function drawGraph(context: Context, name: string, options: GraphOptions): Promise<number> {
  const { terminal } = context;
  if (options.format !== "text" && options.format !== "mermaid") {
    const near = nearestName(options.format, ["text", "mermaid"]);
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `\`--format\` is text or mermaid; found ${JSON.stringify(options.format)}.`,
      advice: near === undefined ? "Choose one of the two." : `Did you mean \`${near}\`?`,
    });
  }
  const definition = await findDefinition(context, name, options);
  const lines =
    options.format === "mermaid" ? mermaidOf(definition) : textGraphOf(definition, terminal.paint);
  for (const line of lines) terminal.print(line);
  return exitCodes.succeeded;
}

async function findDefinition(
  context: Context,
  name: string,
  options: GraphOptions,
): Promise<PipelineDefinition> {
  const isServerNamed = options.url !== undefined || options.state !== undefined;
  if (isServerNamed || findProjectRoot(context.folder) === undefined) {
    const client = await requireServer(context, options);
    return (await requirePipeline(client, name)).definition;
  }
  const { prepareProject } = await import("../stack/deployment.ts");
  const { definition } = await prepareProject(context.folder);
  const found = definition.pipelines.find((pipeline) => pipeline.name === name);
  if (found) {
    const own = {
      assets: new Set((definition.assets ?? []).map((asset) => asset.name)),
      pipelines: new Set(definition.pipelines.map((pipeline) => pipeline.name)),
    };
    for (const told of foreignNames(found, own))
      context.terminal.note(`${context.terminal.paintNote.yellow("!")} ${told}`);
    return found;
  }
  throw unknownPipeline(
    name,
    definition.pipelines.map((pipeline) => pipeline.name),
  );
}
