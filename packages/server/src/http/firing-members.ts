/** `GET /runs/:id/firing/members`: what satisfied a run's trigger, page by page, as its tasks see it. */
import { firedEvent, memberValue, type Json } from "@millrace/core";
import type { FiredMemberView, Operations, Page } from "@millrace/protocol";
import { findEntries, findFiringMembers, type FoundMember } from "@millrace/store";
import { goneEvent } from "../engine/trigger/firing-values.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { memberPageBytesMax, memberPageMax } from "./limits.ts";
import type { ApiRequest } from "./route.ts";

function isOrdinal(place: unknown): place is readonly [ordinal: number] {
  return isPlace(["number"], place);
}

/** A page ends where its data are many: with one member at least. */
export async function firingMemberPage(
  context: ApiContext,
  request: ApiRequest<Operations["listRunFiringMembers"]>,
): Promise<Page<FiredMemberView>> {
  const runId = request.path.id;
  const operand = request.query.operand;
  const from = (readCursor(request.query.cursor, isOrdinal)?.[0] ?? -1) + 1;
  const found = await findFiringMembers(context.database, workspaceId, {
    runId,
    from,
    limit: memberPageMax + 1,
    ...(operand === undefined ? {} : { operand }),
  });
  const page = found.slice(0, memberPageMax);
  const positions = page.flatMap(({ position }) => position ?? []);
  const entries = await findEntries(context.database, workspaceId, [...new Set(positions)]);
  const byPosition = new Map(entries.map((entry) => [entry.position, entry]));
  const { values } = context.host.engine;
  const items: FiredMemberView[] = [];
  let bytes = 0;
  for (const member of page) {
    const entry = member.position === undefined ? undefined : byPosition.get(member.position);
    const data = entry ? ((await values.loaded(entry.data)).value ?? null) : null;
    bytes += JSON.stringify(data).length;
    if (items.length > 0 && bytes > memberPageBytesMax) break;
    items.push({
      operand: member.operand,
      value: valueOf(member, (at) => (entry ? firedEvent(entry, data) : goneEvent(at))),
    });
  }
  const last = page[items.length - 1];
  return {
    items,
    ...(last && items.length < found.length ? { nextCursor: writeCursor([last.ordinal]) } : {}),
  };
}

function valueOf(
  { operand, position, from, to, isSilence }: FoundMember,
  eventAt: Parameters<typeof memberValue>[1],
): Json {
  if (position !== undefined)
    return memberValue({ kind: "event", operand, position, recordedAt: 0 }, eventAt);
  const span = { operand, from: from ?? 0, at: to ?? 0 };
  return memberValue({ kind: isSilence ? "silence" : "tick", ...span }, eventAt);
}
