import type { Command } from "commander";
import { answer, withAnswerOptions, type AnswerOptions } from "../approval-view/answer.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { examples, gatherPairs } from "../stack/options.ts";

export function define(command: Command, context: Context, finish: Finish): void {
  withAnswerOptions(command)
    .option("--form <name=value>", "a field of its form; repeat it for more", gatherPairs)
    .option("--form-json <json>", "the whole form as JSON, or @file")
    .addHelpText(
      "after",
      examples(
        ["millrace approve r0v2", "the only one of this run"],
        ["millrace approve r0v2/publish:1 --form copies=3 --note 'looks good'", "by its id, with its form"],
        ["millrace approve r0v2 --form-json @form.json --json", "for scripts"],
      ),
    )
    .action(finish((given: string, options: AnswerOptions) => answer(context, given, true, options)));
}
