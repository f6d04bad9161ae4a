/** Cursors are opaque to readers: the place after which a page goes on, so that inserts before it move nothing. */
import { MillraceError, type Json } from "@millrace/core";

export function writeCursor(place: Json): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Reads a place that `holds`; throws MILLRACE_REQUEST_INVALID for anything else. */
export function readCursor<Place>(
  cursor: string | undefined,
  holds: (place: unknown) => place is Place,
): Place | undefined {
  if (cursor === undefined || cursor === "") return undefined;
  const place = parse(cursor);
  if (holds(place)) return place;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: "The cursor is not one that this address gave.",
    advice: "Pass `nextCursor` of the page before, unchanged.",
  });
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A list of these kinds of values. */
export function isPlace(kinds: readonly ("string" | "number")[], place: unknown): boolean {
  return (
    Array.isArray(place) &&
    place.length === kinds.length &&
    kinds.every((kind, at) => typeof place[at] === kind && (kind === "string" || Number.isFinite(place[at])))
  );
}
