/** The core's own judgement of a definition, told with the place where it was written. */
import { errorCodeOf, MillraceError, type Json } from "@millrace/core";
import type { OptionOwner } from "./options.ts";
import { formatSource, locate } from "./source.ts";

/** What `parse` makes of it. Throws its catalogued error again, with whose definition it is and where. */
export function judged<Definition>(
  parse: (definition: Json) => Definition,
  definition: Definition,
  owner: OptionOwner,
): Definition {
  try {
    return parse(definition as unknown as Json);
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
    const { code, message, advice, fields } = error as MillraceError;
    const source = locate(owner.mark, owner.root);
    throw new MillraceError(code, {
      message: `${owner.what} (${formatSource(source)}): ${message}`,
      advice,
      fields,
      ...(source ? { source } : {}),
      cause: error,
    });
  }
}
