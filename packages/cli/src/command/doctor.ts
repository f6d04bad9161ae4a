import type { Command } from "commander";
import type { Finish } from "../command-line.ts";
import { fromFolder, type Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples } from "../stack/options.ts";

interface DoctorOptions {
  readonly state?: string;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .argument("[folder]", "the project's folder", ".")
    .option("--state <folder>", "state folder (default: .millrace in the project, or MILLRACE_STATE)")
    .option("--json", "print JSON: { checks }")
    .addHelpText("after", examples(["millrace doctor", "checks, and what to do about each that fails"]))
    .action(
      finish(async (folder: string, options: DoctorOptions) => {
        const { examine } = await import("../doctor/examine.ts");
        const { terminal } = context;
        const checks = await examine({ ...context, folder: fromFolder(context, folder) }, options);
        const failed = checks.some(({ verdict }) => verdict === "fail");
        if (options.json) terminal.print(JSON.stringify({ checks }));
        else {
          const { paint } = terminal;
          const marks = {
            ok: paint.green("● ok  "),
            warn: paint.yellow("! warn"),
            fail: paint.red("✕ fail"),
          };
          for (const { verdict, name, finding, advice } of checks) {
            terminal.print(`${marks[verdict]}  ${paint.bold(name)}: ${finding}`);
            if (advice !== undefined) terminal.print(`        ${paint.cyan("→")} ${advice}`);
          }
        }
        return failed ? exitCodes.failed : exitCodes.succeeded;
      }),
    );
}
