/** What became of one event for one trigger, as rows and the log tell it. */
import {
  holdsEntry,
  judgeEvent as judge,
  type EventFinding,
  type LogEvent,
  type VerdictPort,
} from "@millrace/core";
import type { EventExplanation } from "@millrace/protocol";
import {
  findFiringsOfEvent,
  findTriggerKeys,
  listEvents,
  listFirings,
  type FoundFiring,
} from "@millrace/store";
import { loadTrigger, restoreKey, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { asConditionEvent, pagesBetween } from "../engine/trigger/telling.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { eventFiringsMax, replayedEntriesMax, replayedMs } from "./limits.ts";
import type { FoundTrigger } from "./trigger-find.ts";
import { firingView } from "./trigger-view.ts";

export interface Case {
  readonly found: FoundTrigger;
  readonly trigger: LoadedTrigger;
  readonly entry: LogEvent;
}

export async function judgeEvent(context: ApiContext, judged: Case): Promise<EventExplanation> {
  const { entry, trigger, found } = judged;
  const { toldTo, isOurs } = found;
  const finding = await judge(portOf(context, trigger), { trigger, entry, toldTo, isOurs });
  return { position: entry.position, type: entry.type, ...viewOf(finding) };
}

function viewOf({
  firings,
  ...rest
}: EventFinding<FoundFiring>): Omit<EventExplanation, "position" | "type"> {
  return { ...rest, ...(firings ? { firings: firings.map(firingView) } : {}) };
}

function portOf(context: ApiContext, trigger: LoadedTrigger): VerdictPort<FoundFiring> {
  const { database, host, clock } = context;
  const { pipeline } = trigger.row;
  const deadline = clock.monotonic() + replayedMs;
  return {
    firingsOfEvent: (position) =>
      findFiringsOfEvent(database, workspaceId, { position, pipeline, limit: eventFiringsMax }),
    refusedFirings: async (position) => {
      const page = { pipeline, key: undefined, before: undefined, limit: 1_000 };
      return (await listFirings(database, workspaceId, page)).filter(
        ({ occurrence, runId }) => occurrence === position && runId === undefined,
      );
    },
    firingsAt: (key, at) => {
      const before = { at: at + 1, version: 0, key: "", occurrence: 0, revision: 0 };
      return listFirings(database, workspaceId, { pipeline, key, before, limit: 100 });
    },
    asEvent: (entry) => asConditionEvent(host.engine.values, entry),
    changes: (type, { after, before }) =>
      listEvents(database, workspaceId, {
        type,
        subject: pipeline,
        source: undefined,
        onlyInvalid: false,
        since: undefined,
        until: undefined,
        after,
        before,
        limit: 1_000,
      }),
    holding: async (keys, position) => {
      const names = keys.map((key) => ({ pipeline, key }));
      const rows = await findTriggerKeys(database, workspaceId, names);
      return rows.filter((row) => holdsEntry(restoreKey(row).instance, position)).map(({ key }) => key);
    },
    pages: (after, until) =>
      pagesBetween((from, limit) => host.engine.events.read(from, limit), { after, until }),
    fresh: () => loadTrigger({ ...trigger.row, paused: undefined }),
    replayedEntriesMax,
    isLate: () => clock.monotonic() > deadline,
  };
}
