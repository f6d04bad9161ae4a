import type { Command } from "commander";
import type { Finish } from "../command-line.ts";
import { fromFolder, type Context } from "../environment.ts";
import { examples, readPort, readSlots } from "../stack/options.ts";

export interface DevOptions {
  readonly port?: number;
  readonly state?: string;
  readonly slots?: number;
  readonly json?: boolean;
  /** False with `--no-open`. */
  readonly open: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .argument("[folder]", "the project's folder", ".")
    .option("--port <port>", "serve on this port (default: 4600, or a free one when that is taken)", readPort)
    .option("--state <folder>", "keep everything here (default: .millrace in the project, or MILLRACE_STATE)")
    .option("--slots <count>", "attempts that run at once", readSlots)
    .option(
      "--no-open",
      "leave the browser alone (the page is opened from a terminal where there is a browser)",
    )
    .option("--json", "print events as lines of JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace dev", "on http://127.0.0.1:4600, with an embedded PostgreSQL"],
        ["millrace dev --port 4700", "on another port"],
        ["DATABASE_URL=postgres://… millrace dev", "on a PostgreSQL of yours"],
      ),
    )
    .action(
      finish(async (folder: string, options: DevOptions) => {
        const { runDev } = await import("../stack/dev.ts");
        return runDev({ ...context, folder: fromFolder(context, folder) }, options);
      }),
    );
}
