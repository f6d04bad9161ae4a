import { runCommandLine } from "./command-line.ts";

/** Runs the command line and resolves with the exit code; the codes are listed in `exit-code.ts`. */
export async function main(argv: readonly string[]): Promise<number> {
  return runCommandLine(argv);
}
