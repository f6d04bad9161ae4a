/** `GET /assets/:asset/versions`: what updated an asset or one of its partitions, with the runs, and what made these begin. */
import { assetUpdatedType, liveLane, MillraceError, readAssetKey } from "@millrace/core";
import type {
  AssetVersionView,
  AssetVersionsPage,
  FiringMemberView,
  Operations,
  VersionCause,
} from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  findAssetPartitions,
  findEntries,
  findFiringMembers,
  findFiringOfRun,
  listAssets,
  listEvents,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { partitionView, updateView } from "./asset-view.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { versionMembersShown, versionsLookedMax } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function assetVersionRoutes(context: ApiContext): Route[] {
  return [route(operations.listAssetVersions, (request) => versionPage(context, request))];
}

function isLogPlace(place: unknown): place is readonly [before: number] {
  return isPlace(["number"], place);
}

async function versionPage(
  context: ApiContext,
  request: ApiRequest<Operations["listAssetVersions"]>,
): Promise<AssetVersionsPage> {
  const asset = request.path.asset;
  const lane = request.query.lane ?? liveLane;
  const limit = request.query.limit;
  const partition = await partitionOf(context, asset, request.query.partition);
  const cursor = readCursor(request.query.cursor, isLogPlace)?.[0];
  const current =
    partition === undefined
      ? undefined
      : (
          await findAssetPartitions(context.database, workspaceId, { asset, lane, partitions: [partition] })
        )[0];
  // After the last update of a partition there is none to be looked for.
  const before = cursor ?? (current && current.position + 1);
  const looked = await listEvents(context.database, workspaceId, {
    type: assetUpdatedType,
    subject: asset,
    source: undefined,
    onlyInvalid: false,
    since: undefined,
    until: undefined,
    after: 0,
    before,
    limit: partition === undefined ? limit + 1 : versionsLookedMax,
  });
  const items: AssetVersionView[] = [];
  let last = 0;
  for (const event of looked) {
    if (items.length === limit) break;
    last = event.position;
    const update = event.lane === lane ? updateView(event) : undefined;
    if (update && (partition === undefined || (update.partition ?? "") === partition)) items.push(update);
  }
  const isMore = last !== 0 && (last !== looked.at(-1)!.position || looked.length === versionsLookedMax);
  return {
    items: await withCauses(context, items),
    ...(current ? { current: partitionView(current) } : {}),
    ...(isMore ? { nextCursor: writeCursor([last]) } : {}),
  };
}

/** Its key in its one spelling; the empty text for an asset without partitions. Throws where it has no such partition. */
async function partitionOf(
  { database }: ApiContext,
  asset: string,
  given: string | undefined,
): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const deployed = (await listAssets(database, workspaceId)).find(
    ({ definition }) => definition.name === asset,
  );
  // Of what nobody declares any name is as good.
  if (!deployed) return given;
  const read = readAssetKey(deployed.definition.partitions, given === "" ? null : given);
  if (read.fault === undefined) return read.key ?? "";
  throw new MillraceError("MILLRACE_PARTITION_UNKNOWN", {
    message: `The asset "${asset}": ${read.fault}.`,
    fields: { asset, partition: given.slice(0, 200) },
  });
}

async function withCauses(
  context: ApiContext,
  updates: readonly AssetVersionView[],
): Promise<AssetVersionView[]> {
  const runs = new Set(updates.flatMap(({ producer }) => producer?.runId ?? []));
  const causes = new Map(
    await Promise.all([...runs].map(async (run) => [run, await causeOf(context, run)] as const)),
  );
  return updates.map((update) => {
    const because = update.producer && causes.get(update.producer.runId);
    return because ? { ...update, because } : update;
  });
}

async function causeOf({ database }: ApiContext, runId: string): Promise<VersionCause | undefined> {
  const firing = await findFiringOfRun(database, workspaceId, runId);
  if (!firing) return undefined;
  const rows = await findFiringMembers(database, workspaceId, { runId, from: 0, limit: versionMembersShown });
  const positions = rows.flatMap(({ position }) => position ?? []);
  const entries = new Map(
    (await findEntries(database, workspaceId, positions)).map((entry) => [entry.position, entry]),
  );
  const members = rows.map(({ operand, position, from, to }): FiringMemberView => {
    const entry = position === undefined ? undefined : entries.get(position);
    const { type = "", source = "", id = "", subject } = entry ?? {};
    return {
      operand,
      ...(position === undefined ? {} : { position }),
      ...(entry ? { event: { type, source, id, ...(subject === undefined ? {} : { subject }) } } : {}),
      ...(from === undefined ? {} : { from: isoTime(from) }),
      ...(to === undefined ? {} : { at: isoTime(to) }),
    };
  });
  return {
    ...(firing.key === "" ? {} : { key: firing.key }),
    revision: firing.revision,
    members,
    memberCount: firing.members,
  };
}
