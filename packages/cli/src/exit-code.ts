/** What the command's exit code says. `docs/reference/cli.md` documents them. */
import { catalogue, errorCodeOf } from "@millrace/core";
import type { RunState } from "@millrace/protocol";

export const exitCodes = {
  /** Done; the run that was followed succeeded. */
  succeeded: 0,
  /** The run failed, or the command could not do its work. */
  failed: 1,
  /** The command line, the parameters or the project's files are wrong. */
  usage: 2,
  /** The run was cancelled. */
  cancelled: 3,
  /** No server answers. */
  noServer: 4,
  /** Ctrl-C. */
  interrupted: 130,
  /** SIGTERM or SIGHUP. */
  terminated: 143,
} as const;

export function exitCodeOfError(error: unknown): number {
  const code = errorCodeOf(error);
  if (code === undefined) return exitCodes.failed;
  if (code === "MILLRACE_SERVER_UNREACHABLE") return exitCodes.noServer;
  const { next } = catalogue[code];
  return next === "fix_input" || next === "fix_code" || code === "MILLRACE_CONFIG_INVALID"
    ? exitCodes.usage
    : exitCodes.failed;
}

/** Of a run that has ended. */
export function exitCodeOfRun(state: RunState): number {
  switch (state) {
    case "succeeded":
      return exitCodes.succeeded;
    case "cancelled":
    case "superseded":
      return exitCodes.cancelled;
    default:
      return exitCodes.failed;
  }
}
