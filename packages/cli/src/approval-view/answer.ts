/** `millrace approve` and `millrace reject`. */
import { userInfo } from "node:os";
import type { Command } from "commander";
import type { Json } from "@millrace/core";
import type { AnswerRequest, ApprovalView } from "@millrace/protocol";
import { approvalPath, findApproval } from "../api/find-approval.ts";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import { fromFolder, type Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { withServerOptions } from "../stack/options.ts";
import { canAsk, Questions } from "../terminal/ask.ts";
import { harmless } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { answerText, askedLines } from "./asked.ts";
import { askForm, missingFields, readForm, type FormOptions } from "./form.ts";

export interface AnswerOptions extends ServerOptions, FormOptions {
  readonly by?: string;
  readonly note?: string;
  readonly json?: boolean;
}

export function withAnswerOptions(command: Command): Command {
  return withServerOptions(
    command.argument("<approval>", "its id, or the beginning of it, such as its run's id"),
  )
    .option("--by <name>", "who answers, as you say: nobody checks it; your user name here when absent")
    .option("--note <text>", "a remark, kept with the answer")
    .option("--json", "print JSON");
}

export async function answer(
  context: Context,
  given: string,
  approved: boolean,
  options: AnswerOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServerToChange(context, options);
  const approval = await findApproval(client, given);
  const entered = readForm(options, approval.form, (path) => fromFolder(context, path));
  const form = approved && approval.state === "open" ? await completed(context, approval, entered) : entered;
  if (form === leftOff) return exitCodes.interrupted;
  const request: AnswerRequest = {
    approved,
    by: options.by ?? localName(),
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(form === undefined ? {} : { form }),
  };
  const answered = await client.post(approvalPath(approval.id), request);
  if (options.json) terminal.print(JSON.stringify({ approval: answered }));
  else if (answered.answer)
    terminal.print(answeredLine({ ...answered, answer: answered.answer }, terminal.paint, new Date()));
  else terminal.print(`The answer is taken, and another server records it: ${harmless(answered.id)}.`);
  return exitCodes.succeeded;
}

/** Titles are what task code makes of anything. */
export function answeredLine(
  { id, title, node, answer }: ApprovalView & Required<Pick<ApprovalView, "answer">>,
  paint: Colors,
  now: Date,
): string {
  return `${harmless(title ?? node)}  ${answerText(answer, now)}  ${paint.dim(harmless(id))}`;
}

const leftOff = Symbol("the person left");

/** At a terminal, what the form asks for and the command did not give is asked for. */
async function completed(
  { terminal }: Context,
  approval: ApprovalView,
  entered: Json | undefined,
): Promise<Json | undefined | typeof leftOff> {
  const { form } = approval;
  const isObject =
    entered === undefined || (entered !== null && typeof entered === "object" && !Array.isArray(entered));
  if (form === undefined || !isObject || !canAsk()) return entered;
  if (missingFields(form, entered).length === 0) return entered;
  for (const line of askedLines(approval, terminal.paintNote, new Date())) terminal.note(line);
  using questions = new Questions();
  const answers = await askForm(form, entered, {
    ask: (question) => questions.ask(question),
    tell: (text) => terminal.note(text),
  });
  return answers ?? leftOff;
}

/** A system may have no name for its user. */
function localName(): string {
  try {
    return userInfo().username;
  } catch {
    return "local";
  }
}
