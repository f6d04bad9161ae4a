import type { Command } from "commander";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { examples, gatherPairs, withServerOptions } from "../stack/options.ts";

export interface RunOptions {
  readonly url?: string;
  readonly state?: string;
  readonly param?: { readonly [name: string]: string };
  readonly params?: string;
  readonly partition?: string;
  readonly label?: { readonly [name: string]: string };
  readonly idempotencyKey?: string;
  readonly detach?: boolean;
  readonly force?: boolean;
  readonly inspect?: string;
  readonly logs?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("<pipeline>", "its name"))
    .option("-p, --param <name=value>", "a parameter; repeat it for more", gatherPairs)
    .option("--params <json>", "all parameters as JSON, or @file")
    .option("--partition <key>", "run for this partition of what the pipeline's trigger is about")
    .option("-l, --label <name=value>", "a label of the run; repeat it for more", gatherPairs)
    .option("--idempotency-key <key>", "a repeated command with the same key starts no second run")
    .option("-d, --detach", "start it and don't wait (needs a running server)")
    .option("--force", "start it although the pipeline is paused")
    .option("--inspect <node>", "stop before this node's task until a debugger is attached")
    .option("--logs", "print all that the tasks log")
    .option("--json", "print one JSON document when it has ended: { run, nodes }")
    .addHelpText(
      "after",
      `${examples(
        ["millrace run hello", "start and follow it"],
        [
          "millrace run report -p day=2026-01-01 -p rows=100",
          "values are converted by the pipeline's schema",
        ],
        ["millrace run report --params @params.json --json", "for scripts"],
        ["millrace run report --partition 2026-01-01", "do by hand what a firing does"],
        ["millrace run report --detach", "start it and go"],
        ["millrace run report --inspect load", "debug one task; `load[3]` is an item of a fan-out"],
      )}

With a running server (millrace dev, or --url) the run happens there. Without one, a server and a worker are started for
this run alone, with the project as it is in the files.

Exit codes: 0 succeeded, 1 failed, 2 wrong input, 3 cancelled, 4 no server, 130 Ctrl-C.`,
    )
    .action(
      finish(async (pipeline: string, options: RunOptions) => {
        const { runPipeline } = await import("../stack/run.ts");
        return runPipeline(context, pipeline, options);
      }),
    );
}
