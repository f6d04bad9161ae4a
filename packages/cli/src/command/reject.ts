import type { Command } from "commander";
import { answer, withAnswerOptions, type AnswerOptions } from "../approval-view/answer.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { examples } from "../stack/options.ts";

export function define(command: Command, context: Context, finish: Finish): void {
  withAnswerOptions(command)
    .addHelpText("after", examples(["millrace reject r0v2 --note 'the totals are off'", ""]))
    .action(finish((given: string, options: AnswerOptions) => answer(context, given, false, options)));
}
