/** What a test gives as an object: a member that nobody knows would say nothing. */
import { MillraceError, nearestName, type ErrorCode } from "@millrace/core";

/** Gives the object back. Throws `code` where it is none, or has another member. `what`: `An option of the testbed`. */
export function requireMembers<Given extends object>(
  given: Given,
  known: readonly string[],
  { what, code }: { readonly what: string; readonly code: ErrorCode },
): Given {
  const isObject = given !== null && typeof given === "object" && !Array.isArray(given);
  const other = isObject ? Object.keys(given).find((name) => !known.includes(name)) : undefined;
  if (isObject && other === undefined) return given;
  const near = other === undefined ? undefined : nearestName(other, known);
  throw new MillraceError(code, {
    message:
      other === undefined
        ? `${what} is an object with some of ${known.join(", ")}.`
        : `${what} has no "${other}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    advice: `Known are ${known.join(", ")}.`,
  });
}
