/** Where the command prints: results on stdout, notes and errors on stderr, colours only where people look. */
import { createColors } from "picocolors";
import { exitCodes } from "../exit-code.ts";

export type Colors = ReturnType<typeof createColors>;

export interface Terminal {
  /** For what goes to stdout. */
  readonly paint: Colors;
  /** For what goes to stderr. */
  readonly paintNote: Colors;
  /** Stdout is a terminal that can move its cursor. */
  readonly isLive: boolean;
  print(text: string): void;
  note(text: string): void;
  /** As it is, without a line end. */
  write(text: string | Uint8Array): void;
  columns(): number;
  /** What a line on stdout may take: without bound where it is no terminal. */
  lineWidth(): number;
  rows(): number;
}

export function openTerminal(variables: NodeJS.ProcessEnv): Terminal {
  const { stdout, stderr } = process;
  let isHeard = true;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (isHeard) endWithoutReader(error);
      isHeard = false;
    });
  }
  return {
    paint: createColors(hasColors(variables, stdout.isTTY)),
    paintNote: createColors(hasColors(variables, stderr.isTTY)),
    isLive: stdout.isTTY && variables["TERM"] !== "dumb",
    print: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    write: (text) => void stdout.write(text),
    columns: () => stdout.columns || 100,
    lineWidth: () => (stdout.isTTY && stdout.columns > 0 ? stdout.columns - 1 : Number.POSITIVE_INFINITY),
    rows: () => stdout.rows || 30,
  };
}

/** A reader that went away (`| head`) is no failure; a full disk is. Who has something to stop does it as after a hang-up. */
function endWithoutReader(error: NodeJS.ErrnoException): void {
  const isGone = error.code === "EPIPE";
  if (!isGone) process.stderr.write(`The output can't be written: ${error.message}\n`);
  if (process.listenerCount("SIGHUP") > 0) process.kill(process.pid, "SIGHUP");
  else process.exit(isGone ? exitCodes.succeeded : exitCodes.failed);
}

/** `NO_COLOR` wins over `FORCE_COLOR`, and both over the terminal. */
export function hasColors(variables: NodeJS.ProcessEnv, isTerminal: boolean | undefined): boolean {
  if (variables["NO_COLOR"]) return false;
  const force = variables["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return isTerminal === true && variables["TERM"] !== "dumb";
}
