/** What whoever tells triggers the log needs besides: the content of entries, and their pages. */
import { conditionEventOf, type ConditionEvent, type LogEvent } from "@millrace/core";
import type { LogPage } from "@millrace/store";
import { logPageMax } from "../limits.ts";
import type { Values } from "../values.ts";

export async function asConditionEvent(
  values: Pick<Values, "loaded">,
  entry: LogEvent,
): Promise<ConditionEvent> {
  const { value } = await values.loaded(entry.data);
  return conditionEventOf(entry, value ?? null);
}

/** Pages of the log after one position, up to and with another. */
export async function* pagesBetween(
  read: (after: number, limit: number) => Promise<LogPage>,
  { after, until }: { readonly after: number; readonly until: number },
): AsyncGenerator<LogPage> {
  for (let from = after; from < until;) {
    const page = await read(from, Math.min(logPageMax, until - from));
    yield page;
    // Beyond it there is nothing yet.
    if (page.until <= from) return;
    from = page.until;
  }
}

/** As `pagesBetween`, without what pages say besides. */
export async function* entriesBetween(
  read: (after: number, limit: number) => Promise<LogPage>,
  range: { readonly after: number; readonly until: number },
): AsyncGenerator<readonly LogEvent[]> {
  for await (const { events } of pagesBetween(read, range)) yield events;
}
