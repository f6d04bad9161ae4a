/**
 * Why things that somebody waits for are not looked at, or in vain. It is found when somebody asks, and not recorded: it changes with
 * every worker and slot.
 */
import { probesWithin, parseCondition, probeId, type Json, type Reason } from "@millrace/core";
import { deployedProbes, probesById, type DeployedProbe, type ProbeRow } from "@millrace/store";
import { lookMarginMs } from "../engine/limits.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { workersOf } from "./pool-routes.ts";
import { workerReason } from "./wait-reason.ts";

export type TroubleOf = (row: ProbeRow) => Reason | undefined;

/** Of these rows; those that nobody waits for have none. */
export async function probeTroubles(
  context: ApiContext,
  rows: readonly ProbeRow[],
  probes: readonly DeployedProbe[],
): Promise<TroubleOf> {
  // Between two engines a server does not know the database's time: then nothing is due.
  const now = context.host.running?.now() ?? 0;
  const isDue = ({ nextAt }: ProbeRow): boolean => nextAt !== undefined && nextAt <= now;
  const workers = rows.some(isDue) ? await workersOf(context) : [];
  const definitions = new Map(probes.map(({ definition }) => [definition.name, definition]));
  return (row) => {
    const definition = definitions.get(row.name);
    const reason = definition && isDue(row) ? workerReason(definition, workers) : undefined;
    // A look may be under way, which holds a slot itself. Only the thing's own node knows.
    const isLate = definition && now - row.nextAt! > definition.timeoutMs + lookMarginMs;
    const waits = isLate || context.host.running?.probes.looks.waitsForSlot(row.id);
    if (reason && (reason.code === "no_worker" || waits)) return reason;
    return failureOf(row);
  };
}

function failureOf({ nextAt, failures, error }: ProbeRow): Reason | undefined {
  if (nextAt === undefined || failures === 0 || !error) return undefined;
  const how = failures === 1 ? "The last look failed" : `The last ${failures} looks failed`;
  return {
    code: "probe_failing",
    message: `${how}: ${error.code} ${error.message}`,
    fields: { failures, error: error.code },
  };
}

/** Of conditions, by their JSON texts. */
export async function conditionTroubles(
  context: ApiContext,
  conditions: readonly string[],
): Promise<ReadonlyMap<string, Reason>> {
  const idsOf = new Map<string, string[]>();
  for (const text of conditions) {
    // Most conditions have none, and a run may have thousands of waits.
    if (!text.includes('"probe"')) continue;
    const things = probesWithin(parseCondition(JSON.parse(text) as Json, ["condition"]));
    if (things.length > 0) idsOf.set(text, things.map(probeId));
  }
  if (idsOf.size === 0) return new Map();
  const { database } = context;
  const [rows, { probes }] = await Promise.all([
    probesById(database, workspaceId, [...new Set([...idsOf.values()].flat())]),
    deployedProbes(database, workspaceId),
  ]);
  const troubleOf = await probeTroubles(context, rows, probes);
  const troubles = new Map(rows.map((row) => [row.id, troubleOf(row)]));
  const found = new Map<string, Reason>();
  for (const [text, ids] of idsOf)
    for (const id of ids) {
      const trouble = troubles.get(id);
      if (trouble && !found.has(text)) found.set(text, trouble);
    }
  return found;
}
