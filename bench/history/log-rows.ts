/** Entries of the log, what fired by them, and what they told of assets. */
import { assetCount, busy, type HistorySizes } from "./project.ts";
import { dayStart, daySpan, type Day } from "./run-rows.ts";

/** Of ten entries six come from outside, three tell of an asset, and one of a run that failed. */
export function logRows(day: Day, sizes: HistorySizes): readonly string[] {
  const { ago } = day;
  const perDay = Math.ceil(sizes.events / sizes.days);
  const from = (sizes.days - 1 - ago) * perDay;
  const entries = `(
    select e, ${from} + e + 1 as position, ${dayStart(ago)} + ${daySpan(ago)} * (e::float8 / ${perDay}) as at
    from generate_series(0, ${perDay - 1}) as e
  ) as entries`;
  const outside = `'/shop/' || position % 50`;
  return [
    `insert into event_log_normal_new (workspace, position, recorded_at, retention, lane, source, id, type, subject, data)
      select 1, position, at, 2, 'live', ${outside}, 'e' || position,
        case when position % 100000 = 1 then 'order.lost' else (array['order.placed', 'order.paid', 'order.shipped'])[1 + position % 3] end,
        'order-' || position * 7919::bigint % 200000,
        json_build_object('region', 'region-' || position % 40, 'amount', position % 977, 'currency', 'EUR')
      from ${entries} where e % 10 < 6`,
    `insert into event_log_normal_new (workspace, position, recorded_at, retention, lane, source, id, type, subject, data)
      select 1, position, at, 2, 'live', 'millrace', 'run/seeded-' || position || '/g1/failed', 'millrace.run.failed',
        'load-' || position % ${sizes.pipelines},
        json_build_object('run', 'seeded-' || position, 'pipeline', 'load-' || position % ${sizes.pipelines}, 'project', 'bench',
          'generation', 1, 'state', 'failed')
      from ${entries} where e % 10 = 9`,
    `insert into event_log_long_new (workspace, position, recorded_at, retention, lane, source, id, type, subject, data)
      select 1, position, at, 3, 'live', 'millrace', 'asset ' || position, 'millrace.asset.updated', 'lake/table_' || position % ${assetCount},
        json_build_object('asset', 'lake/table_' || position % ${assetCount}, 'partition', null, 'version', 'v' || position, 'kind',
          'materialized', 'metadata', json_build_object('rows', position % 977))
      from ${entries} where e % 10 between 6 and 8`,
    `insert into event_identity (workspace, source, id, position, content_hash, recorded_at)
      select 1, ${outside}, 'e' || position, position, position, at from ${entries} where e % 10 < 6`,
    `insert into log_mark (workspace, position, recorded_at)
      select 1, position, at from ${entries} where e = 0 or position % 4096 = 0`,
    `insert into firing (workspace, pipeline, version, key, occurrence, revision, at, position, run_id, value)
      select 1, pipeline, 1, 'region-' || n % 40, 1000000 + n, 1, at, ${from} + 1 + e - e % 10, bench_run_id(at, n), '{}'
      from made, lateral (select ((n - ${day.from})::bigint * ${perDay} / ${day.count}) as e) as entry
      where pipeline = '${busy}'`,
    `insert into firing_member (workspace, run_id, ordinal, operand, position)
      select 1, bench_run_id(at, n), 0, 'orders', ${from} + 1 + e - e % 10
      from made, lateral (select ((n - ${day.from})::bigint * ${perDay} / ${day.count}) as e) as entry
      where pipeline = '${busy}'`,
  ];
}

/** Where the log ends after all days, so that nobody reads it again from its beginning. */
export function headRows(sizes: HistorySizes): string {
  const last = Math.ceil(sizes.events / sizes.days) * sizes.days;
  return `insert into log_head (workspace, position, clock, node_id, flush) values (1, ${last}, now(), 0, 0)
      on conflict (workspace) do update set position = excluded.position, clock = excluded.clock;
    update shard set log_position = ${last}, wait_position = ${last}`;
}

/** The assets of `project.ts` as their updates left them. */
export function assetRows({ partitions }: HistorySizes): readonly string[] {
  return [
    `insert into asset_state (workspace, asset, lane, updates, update_position, updated_at, rejected)
      select 1, 'lake/table_' || a, 'live', 1000, 1, now() - a * interval '1 minute', 0 from generate_series(0, ${assetCount - 1}) as a`,
    `insert into asset_partition (workspace, asset, lane, partition, updates, position, updated_at, is_observed, version, metadata)
      select 1, 'lake/table_' || a, 'live', key, 3, 1, now() - i * interval '1 minute', false, 'v' || i, '{"rows":12}'
      from generate_series(0, ${assetCount - 1}) as a
      cross join lateral (
        select i,
          case
            when a < 50 then to_char(date '2025-01-01' + i, 'YYYY-MM-DD')
            when a < 60 then to_char(timestamp '2024-01-01' + i * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI"Z"')
            when a = 60 then 'customer-' || lpad(i::text, 6, '0')
            else ''
          end as key
        from generate_series(0, case when a < 50 then least(600, ${partitions}) when a <= 60 then ${partitions} else 1 end - 1) as i
      ) as keys`,
  ];
}
