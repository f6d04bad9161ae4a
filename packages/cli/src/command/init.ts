import type { Command } from "commander";
import type { Finish } from "../command-line.ts";
import { fromFolder, type Context } from "../environment.ts";
import { examples } from "../stack/options.ts";

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .argument("[folder]", "where to make it", ".")
    .option("--name <name>", "the project's name (default: the folder's)")
    .addHelpText(
      "after",
      examples(["millrace init", "in this folder"], ["millrace init shop", "in a new folder"]),
    )
    .action(
      finish(async (folder: string, options: { readonly name?: string }) => {
        const { initProject } = await import("../project-template/init.ts");
        return initProject(context, fromFolder(context, folder), options.name);
      }),
    );
}
