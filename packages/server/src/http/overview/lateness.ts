/** What is late: assets that are older than they may be, runs that take much longer than those before them. */
import type { AttentionView } from "@millrace/protocol";
import { lastUpdates, runsBesideUsual } from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";
import {
  attentionOfKindMax,
  failuresDays,
  freshAssetsMax,
  lateRunsLeast,
  lateShare,
  lateRunMs,
} from "../limits.ts";
import { isoTime } from "../run-summary.ts";

export interface Lateness {
  readonly attention: readonly AttentionView[];
  /** When the next one will be late, if nothing happens until then. */
  readonly nextAt: number | undefined;
}

export async function lateness(context: ApiContext, now: number): Promise<Lateness> {
  const [assets, runs] = await Promise.all([staleAssets(context, now), lateRuns(context, now)]);
  const next = [assets.nextAt, runs.nextAt].filter((at) => at !== undefined);
  return {
    attention: [...runs.attention, ...assets.attention],
    nextAt: next.length === 0 ? undefined : Math.min(...next),
  };
}

async function staleAssets({ database, host }: ApiContext, now: number): Promise<Lateness> {
  const bounded = [...(host.running?.assets.withFreshness() ?? [])].slice(0, freshAssetsMax);
  const names = bounded.map(({ name }) => name);
  const updates = await lastUpdates(database, workspaceId, names);
  const known = bounded.flatMap(({ name, maxAgeMs }) => {
    const updatedAt = updates.get(name);
    return updatedAt === undefined ? [] : [{ name, updatedAt, maxAgeMs, lateAt: updatedAt + maxAgeMs }];
  });
  // The most overdue first, beside how often they should come.
  const stale = known
    .filter(({ lateAt }) => lateAt < now)
    .sort((a, b) => (now - b.lateAt) / b.maxAgeMs - (now - a.lateAt) / a.maxAgeMs);
  return {
    attention:
      stale.length === 0
        ? []
        : [
            {
              kind: "assets_stale",
              count: stale.length,
              assets: stale.slice(0, attentionOfKindMax).map(({ name, updatedAt, maxAgeMs }) => ({
                asset: name,
                updatedAt: isoTime(updatedAt),
                maxAgeMs,
              })),
            },
          ],
    nextAt: earliest(known.map(({ lateAt }) => lateAt).filter((at) => at >= now)),
  };
}

async function lateRuns({ database }: ApiContext, now: number): Promise<Lateness> {
  const runs = await runsBesideUsual(database, workspaceId, {
    before: now,
    since: now - failuresDays * 86_400_000,
    least: lateRunsLeast,
  });
  const judged = runs.map((run) => ({
    ...run,
    lateAt: run.startedAt + Math.max(lateRunMs, lateShare * run.usualMs),
  }));
  const late = judged.filter(({ lateAt }) => lateAt < now);
  const byPipeline = Map.groupBy(late, ({ pipeline }) => pipeline);
  return {
    attention: [...byPipeline].slice(0, attentionOfKindMax).map(([pipeline, [oldest, ...others]]) => ({
      kind: "runs_late",
      pipeline,
      runs: { count: others.length + 1 },
      oldest: { run: oldest!.id, since: isoTime(oldest!.startedAt) },
      usualMs: Math.round(oldest!.usualMs),
    })),
    nextAt: earliest(judged.map(({ lateAt }) => lateAt).filter((at) => at >= now)),
  };
}

function earliest(instants: readonly number[]): number | undefined {
  return instants.length === 0 ? undefined : Math.min(...instants);
}
