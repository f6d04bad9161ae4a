/** An entry of the event log by its position or its id. */
import { MillraceError, type LogEvent } from "@millrace/core";
import { findEventPositions } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";

/** Digits are a position first; an id may be digits, too. Throws MILLRACE_EVENT_UNKNOWN. */
export async function requireEntry(
  { database, host }: ApiContext,
  given: string,
  source: string | undefined,
): Promise<LogEvent> {
  const { events } = host.engine;
  const at = async (position: number): Promise<LogEvent | undefined> =>
    (await events.read(position - 1, 1)).events[0];
  const isPosition = /^[1-9]\d{0,14}$/.test(given) && source === undefined;
  const byPosition = isPosition ? await at(Number(given)) : undefined;
  if (byPosition) return byPosition;
  const positions = await findEventPositions(database, workspaceId, { id: given, source });
  const entries = (await Promise.all(positions.map(at))).flatMap((entry) => entry ?? []);
  const [found, ...others] = entries;
  if (found && others.length === 0) return found;
  if (found)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `${entries.length} events have the id "${given.slice(0, 100)}": of ${entries.map((entry) => entry.source).join(", ")}.`,
      advice: "Name one by its position, or with its source.",
    });
  throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
    message: `The event log has no entry "${given.slice(0, 100)}"${source === undefined ? "" : ` of the source ${source}`}, or no longer.`,
  });
}
