import { Option, type Command } from "commander";
import type { Finish } from "../command-line.ts";
import { fromFolder, type Context } from "../environment.ts";
import type { InitOptions } from "../project-template/init.ts";
import { examples } from "../stack/options.ts";

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .argument("[folder]", "where to make it", ".")
    .option("--name <name>", "the project's name (default: the folder's)")
    .addOption(
      new Option("--editor <editor>", "whose settings it gets (default: vscode)").choices(["vscode", "none"]),
    )
    .option("-y, --yes", "ask nothing (nor where it is no terminal)")
    .addHelpText(
      "after",
      examples(
        ["millrace init", "in this folder"],
        ["millrace init shop", "in a new folder"],
        ["millrace init shop --yes --editor none", "without questions and without settings for an editor"],
      ),
    )
    .action(
      finish(async (folder: string, options: InitOptions) => {
        const { initProject } = await import("../project-template/init.ts");
        return initProject(context, fromFolder(context, folder), options);
      }),
    );
}
