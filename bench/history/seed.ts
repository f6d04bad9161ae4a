/**
 * A history as a year of use leaves it, made in the database in minutes: its rows are made by statements there (which is what COPY
 * would be without sending them), into tables that are made in the same transaction and get their indexes once they are full, so
 * that nothing of it is written to the log of changes.
 */
import { connect, migrate, type EmbeddedConnection } from "@millrace/store";
import type { HistorySizes } from "./project.ts";
import { assetRows, headRows, logRows } from "./log-rows.ts";
import { detailRows, idFunction, runRows, stepRows, taskRows, type Day } from "./run-rows.ts";

/** Tables with a partition for each day, and the partition's key. */
const daily: readonly (readonly [table: string, key: string])[] = [
  ["run_history", "ended_at"],
  ["task_run_history", "run_ended_at"],
  ["attempt_history", "ended_at"],
  ["log_chunk", "created_at"],
  ["artifact", "created_at"],
  ["event_log_normal", "recorded_at"],
  ["event_log_long", "recorded_at"],
];

/** Into a database that no server has used yet; `tell` hears of each day. */
export async function seedHistory(
  connection: EmbeddedConnection,
  { sizes, bundle }: { readonly sizes: HistorySizes; readonly bundle: string },
  tell: (text: string) => void,
): Promise<void> {
  const database = connect(connection, { applicationName: "bench" });
  try {
    await migrate(database.api, { now: Date.now() });
    const client = await database.api.connect();
    const run = async (text: string): Promise<void> => void (await client.query(text));
    try {
      await run("set statement_timeout = 0");
      await run("set idle_in_transaction_session_timeout = 0");
      await run("set work_mem = '256MB'");
      await run("set maintenance_work_mem = '512MB'");
      await run(idFunction);
      await run(stepRows(sizes));
      const perDay = Math.ceil(sizes.runs / sizes.days);
      for (let ago = sizes.days - 1; ago >= 0; ago -= 1) {
        const from = (sizes.days - 1 - ago) * perDay;
        const count = Math.max(1, Math.min(perDay, sizes.runs - from));
        await seedDay(run, { ago, from, count, bundle }, sizes);
        tell(`${sizes.days - ago} of ${sizes.days} days`);
      }
      for (const text of assetRows(sizes)) await run(text);
      await run(headRows(sizes));
      await run("drop table bench_step");
      await run("checkpoint");
      await run("vacuum (analyze, freeze)");
    } finally {
      client.release(true);
    }
  } finally {
    await database.close();
  }
}

async function seedDay(run: (text: string) => Promise<void>, day: Day, sizes: HistorySizes): Promise<void> {
  await run("begin");
  for (const [table] of daily)
    await run(`create table ${table}_new (like ${table} including defaults including constraints)`);
  await run(runRows(day, sizes));
  await run(taskRows(sizes));
  for (const text of detailRows(sizes.nodes)) await run(text);
  for (const text of logRows(day, sizes)) await run(text);
  for (const [table, key] of daily) await run(attached(table, key, day.ago));
  await run("commit");
}

function attached(table: string, key: string, ago: number): string {
  return `do $$
    declare
      v_day date := (now() at time zone 'utc')::date - ${ago};
      v_name text := '${table}_' || to_char(v_day, 'YYYYMMDD');
      v_from timestamptz := v_day::timestamp at time zone 'utc';
      v_to timestamptz := (v_day + 1)::timestamp at time zone 'utc';
    begin
      execute format('alter table millrace.%I rename to %I', '${table}_new', v_name);
      -- Else it would be looked through once more, for rows of other days.
      execute format('alter table millrace.%I add constraint of_day check (${key} >= %L and ${key} < %L)', v_name, v_from, v_to);
      execute format('alter table millrace.%I attach partition millrace.%I for values from (%L) to (%L)', '${table}', v_name, v_from, v_to);
      execute format('alter table millrace.%I drop constraint of_day', v_name);
    end $$`;
}
