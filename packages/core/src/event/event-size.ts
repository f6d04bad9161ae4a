/** How much an event may hold, whichever door it comes by. */
import { MillraceError } from "../error/millrace-error.ts";
import type { Json } from "../json.ts";
import { eventDataMax } from "../limits.ts";

/** The JSON text of an event's data. Throws MILLRACE_EVENT_TOO_LARGE. */
export function eventDataText(id: string, data: Json): string {
  const text = JSON.stringify(data);
  if (text.length <= eventDataMax) return text;
  throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
    message: `The data of the event ${id} has ${text.length} characters as JSON; the log takes ${eventDataMax}.`,
    fields: { path: "/data", characters: text.length, charactersMax: eventDataMax },
  });
}
