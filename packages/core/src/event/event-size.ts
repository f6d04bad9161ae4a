/** How much an event may hold, whichever door it comes by. */
import { MillraceError } from "../error/millrace-error.ts";
import { isNestedWithin, type Json } from "../json.ts";
import { eventDataMax, jsonDepthMax } from "../limits.ts";

/** The JSON text of an event's data. Throws MILLRACE_EVENT_TOO_LARGE. */
export function eventDataText(id: string, data: Json): string {
  const text = textOf(id, data);
  if (text.length <= eventDataMax) return text;
  throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
    message: `The data of the event ${id} has ${text.length} characters as JSON; the log takes ${eventDataMax}.`,
    fields: { path: "/data", characters: text.length, charactersMax: eventDataMax },
  });
}

/** Each level of nesting takes two characters: most data need no second look. */
function textOf(id: string, data: Json): string {
  try {
    const text = JSON.stringify(data);
    if (text.length <= 2 * jsonDepthMax || isNestedWithin(data, jsonDepthMax)) return text;
  } catch (error) {
    // It has a stack of its own.
    if (!(error instanceof RangeError)) throw error;
  }
  throw new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `The data of the event ${id} nests deeper than ${jsonDepthMax} levels.`,
    fields: { path: "/data", depthMax: jsonDepthMax },
  });
}
