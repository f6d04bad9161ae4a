import { enableCompileCache } from "node:module";

/** Runs the command line and resolves with the exit code; the codes are listed in `exit-code.ts`. */
export async function main(argv: readonly string[]): Promise<number> {
  enableCompileCache();
  const { runCommandLine } = await import("./command-line.ts");
  return runCommandLine(argv);
}
