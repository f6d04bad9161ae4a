import { engineStoreConformance, reusedDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { describe, test } from "vitest";
import { flushParameterCount, flushParameters } from "../../src/engine/flush-parameters.ts";
import { addToOutbox } from "../../src/queries/outbox.ts";
import { openPostgresEngineStore } from "../../src/engine/postgres-engine-store.ts";

const placeholders = Array.from({ length: flushParameterCount }, (_, index) => `$${index + 1}`).join(", ");

describe("the engine's store on PostgreSQL", () => {
  const cases = engineStoreConformance(async () => {
    const db = await reusedDatabase();
    const client = new Client({ ...db.connection, options: "-c search_path=millrace" });
    await client.connect();
    const rows = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
      (await client.query<Row>(text, values)).rows;
    return {
      store: openPostgresEngineStore(db.database),
      other: openPostgresEngineStore(db.connectAgain("other")),
      expireLease: async (nodeId, agoMs) => {
        await rows("update node set lease_until = clock_timestamp() - $2 * interval '1 ms' where id = $1", [
          nodeId,
          agoMs,
        ]);
      },
      holdFlush: async (nodeId, number, batch) => {
        const session = new Client({ ...db.connection, options: "-c search_path=millrace" });
        await session.connect();
        await session.query("begin");
        await session.query(`select flush(${placeholders})`, flushParameters(nodeId, number, batch));
        const end = async (how: "commit" | "rollback"): Promise<void> => {
          await session.query(how);
          await session.end();
        };
        return { commit: () => end("commit"), rollback: () => end("rollback") };
      },
      settled: async () => {
        for (;;) {
          const waiting = await rows("select from pg_locks where not granted");
          if (waiting.length > 0) return;
        }
      },
      history: async (runId) => ({
        runs: await rows<never>(
          `select generation, state, output, extract(epoch from ended_at)::float8 * 1000 as "endedAt"
            from run_history where id = $1 order by generation`,
          [runId],
        ),
        taskRuns: (await rows("select from task_run_history where run_id = $1", [runId])).length,
        attempts: (await rows("select from attempt_history where run_id = $1", [runId])).length,
      }),
      firings: async () =>
        (
          await rows<{ name: string; run_id: string | null }>(
            `select concat_ws(' ', pipeline, version, key, occurrence, revision) as name, run_id
              from firing order by version, occurrence`,
          )
        ).map(({ name, run_id }) => ({ name, runId: run_id ?? undefined })),
      assets: async () => ({
        states: await rows<never>(
          `select asset, lane, updates::float8,
              case when update_position is not null then
                json_build_object('position', update_position, 'at', extract(epoch from updated_at) * 1000, 'runId', run_id)
              end as update,
              case when progress_until is not null then
                json_build_object('until', extract(epoch from progress_until) * 1000, 'position', progress_position,
                  'at', extract(epoch from progress_at) * 1000)
              end as progress,
              rejected::float8,
              case when rejected > 0 then
                json_build_object('position', rejected_position, 'at', extract(epoch from rejected_at) * 1000,
                  'partition', rejected_partition, 'reason', rejected_reason, 'runId', rejected_run_id)
              end as rejection
            from asset_state order by workspace, asset, lane`,
        ),
        partitions: await rows<never>(
          `select asset, lane, partition, updates::float8, position::float8, extract(epoch from updated_at)::float8 * 1000 as at,
              is_observed as "isObserved", version, metadata, revision, run_id as "runId"
            from asset_partition order by workspace, asset, lane, partition`,
        ),
        uses: await rows<never>(
          `select concat_ws(' ', run_id, generation, node, item, direction, asset, partition) as name, position::float8, version,
              extract(epoch from at)::float8 * 1000 as at
            from asset_use order by workspace, run_id, generation, node, item, direction, asset, partition`,
        ),
      }),
      putOutbox: (news) => addToOutbox(client, 1, [news]),
      dispose: async () => {
        await client.end();
        await db.drop();
      },
    };
  });
  test.each(cases)("$name", async (rule) => rule.run());
});
