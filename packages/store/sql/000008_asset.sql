-- Assets: what the log has told of them so far, and what runs read and wrote.
--
-- A1: `asset_state` and `asset_partition` are what folding the log's entries of assets in their order gives. They change in
--     the very flush that appends an entry, after it is known which of the flush's events are new: so a repeat counts once,
--     and no reader sees an entry without its effect or the other way round.
-- A2: whoever appends holds the row of `log_head`, so no two flushes fold at once, and a later entry wins.
-- A3: an entry that is `invalid` changes no partition; its asset's row tells of it.

-- An asset as a whole, under the name that was told: also one that no project declares.
create table asset_state (
  workspace integer not null,
  asset text collate "C" not null,
  lane text not null,
  -- How many updates were told, and the last of them.
  updates bigint not null,
  update_position bigint,
  updated_at timestamptz,
  run_id text collate "C",
  -- All windows that end by then are complete; it never goes back.
  progress_until timestamptz,
  progress_position bigint,
  progress_at timestamptz,
  -- Entries that did not fit what was deployed, and the last of them.
  rejected bigint not null,
  rejected_position bigint,
  rejected_at timestamptz,
  rejected_partition text,
  rejected_reason text,
  rejected_run_id text collate "C",
  constraint asset_state_pkey primary key (workspace, asset, lane),
  constraint asset_state_update_whole check ((updates = 0) = (update_position is null) and (updates = 0) = (updated_at is null)),
  constraint asset_state_progress_whole check (
    (progress_until is null) = (progress_position is null) and (progress_until is null) = (progress_at is null)
  ),
  constraint asset_state_rejected_whole check (
    (rejected = 0) = (rejected_position is null) and (rejected = 0) = (rejected_reason is null)
  )
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

-- What the asset has of each partition; the empty key is the whole of an asset without partitions.
create table asset_partition (
  workspace integer not null,
  asset text collate "C" not null,
  lane text not null,
  partition text collate "C" not null,
  -- None: its key is known, and nothing was written to it.
  updates bigint not null,
  position bigint not null,
  updated_at timestamptz,
  is_observed boolean not null,
  version text,
  metadata json,
  -- Which revision of its window the producing run made.
  revision integer,
  run_id text collate "C",
  pipeline text collate "C",
  node text collate "C",
  item text collate "C",
  generation integer,
  constraint asset_partition_pkey primary key (workspace, asset, lane, partition),
  constraint asset_partition_update_whole check ((updates = 0) = (updated_at is null) and (updates = 0) = (version is null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

-- Lineage: what a task run wrote, and what stood in what it reads when its attempt began.
create table asset_use (
  workspace integer not null,
  run_id text collate "C" not null,
  generation integer not null,
  node text collate "C" not null,
  item text collate "C" not null,
  direction text not null,
  asset text collate "C" not null,
  partition text collate "C" not null,
  -- Of the update; null where nothing was there to be read.
  position bigint,
  version text,
  at timestamptz not null,
  constraint asset_use_pkey primary key (workspace, run_id, generation, node, item, direction, asset, partition),
  constraint asset_use_direction_known check (direction in ('read', 'write'))
);
create index asset_use_by_age on asset_use using brin (at);

create type flush_asset as (
  -- The entry's place among the flush's events, from 0.
  at integer, kind text, asset text, lane text, partition text, is_observed boolean, version text, metadata text,
  revision integer, run_id text, pipeline text, node text, item text, generation integer, until_ms double precision, invalid text
);

-- As `flush_with_log`, where some of the events tell of assets.
create function flush_with_assets(
  p_node bigint,
  p_flush bigint,
  p_runs flush_run[],
  p_task_runs flush_task_run[],
  p_ended flush_run_end[],
  p_final flush_task_run[],
  p_more flush_run_end[],
  p_rest json,
  p_workspace integer,
  p_clock_ms double precision,
  p_events flush_event[],
  p_assets flush_asset[]
) returns json
language plpgsql
as $$
declare
  v_change json;
begin
  v_change := flush_with_log(
    p_node, p_flush, p_runs, p_task_runs, p_ended, p_final, p_more, p_rest, p_workspace, p_clock_ms, p_events
  );
  perform flush_assets(p_workspace, v_change, p_assets);
  return v_change;
end
$$;

-- Folds those entries that are new, in the order of their positions.
create function flush_assets(p_workspace integer, p_change json, p_assets flush_asset[]) returns void
language plpgsql
as $$
declare
  v_at timestamptz := to_timestamp((p_change ->> 'clock')::double precision / 1000);
  v_first bigint := (p_change ->> 'first')::bigint;
  -- Those that are not new, by their places.
  v_others integer[];
begin
  if json_typeof(p_change -> 'others') = 'array' then
    v_others := (
      select array_agg((o ->> 'at')::integer order by (o ->> 'at')::integer) from json_array_elements(p_change -> 'others') as o
    );
    -- The nearest at or before a place is that place itself.
    p_assets := (
      select array_agg(a order by (a).at)
      from unnest(p_assets) as a
      where v_others[width_bucket((a).at, v_others)] is distinct from (a).at
    );
  end if;
  perform flush_asset_partitions(p_workspace, v_first, v_at, v_others, p_assets);
  perform flush_asset_states(p_workspace, v_first, v_at, v_others, p_assets);
  perform flush_asset_writes(p_workspace, v_first, v_at, v_others, p_assets);
end
$$;

-- The position of the flush's event at a place; `p_others`, in order, are the places of those that are not new.
create function flush_position(p_first bigint, p_others integer[], p_at integer) returns bigint
language sql
immutable
return p_first + p_at - case when p_others is null then 0 else width_bucket(p_at, p_others) end;

create function flush_asset_partitions(
  p_workspace integer, p_first bigint, p_at timestamptz, p_others integer[], p_assets flush_asset[]
) returns void
language plpgsql
as $$
begin
  -- The last update of a partition counts; a key that is known already stays as it is.
  insert into asset_partition (
    workspace, asset, lane, partition, updates, position, updated_at, is_observed, version, metadata, revision, run_id, pipeline,
    node, item, generation
  )
  select distinct on (a.asset, a.lane, a.partition)
    p_workspace, a.asset, a.lane, a.partition,
    count(*) over (partition by a.asset, a.lane, a.partition),
    flush_position(p_first, p_others, a.at),
    p_at, a.is_observed, a.version, a.metadata::json, a.revision, a.run_id, a.pipeline, a.node, a.item, a.generation
  from unnest(p_assets) as a
  where a.kind = 'updated' and a.invalid is null
  order by a.asset, a.lane, a.partition, a.at desc
  on conflict (workspace, asset, lane, partition) do update set
    updates = asset_partition.updates + excluded.updates,
    position = excluded.position,
    updated_at = excluded.updated_at,
    is_observed = excluded.is_observed,
    version = excluded.version,
    metadata = excluded.metadata,
    revision = excluded.revision,
    run_id = excluded.run_id,
    pipeline = excluded.pipeline,
    node = excluded.node,
    item = excluded.item,
    generation = excluded.generation;

  insert into asset_partition (
    workspace, asset, lane, partition, updates, position, is_observed, run_id, pipeline, node, item, generation
  )
  select distinct on (a.asset, a.lane, a.partition)
    p_workspace, a.asset, a.lane, a.partition, 0, flush_position(p_first, p_others, a.at), false, a.run_id, a.pipeline,
    a.node, a.item, a.generation
  from unnest(p_assets) as a
  where a.kind = 'partition' and a.invalid is null
  order by a.asset, a.lane, a.partition, a.at
  on conflict (workspace, asset, lane, partition) do nothing;
end
$$;

create function flush_asset_states(
  p_workspace integer, p_first bigint, p_at timestamptz, p_others integer[], p_assets flush_asset[]
) returns void
language plpgsql
as $$
begin
  insert into asset_state (
    workspace, asset, lane, updates, update_position, updated_at, run_id, progress_until, progress_position, progress_at,
    rejected, rejected_position, rejected_at, rejected_partition, rejected_reason, rejected_run_id
  )
  select
    p_workspace, t.asset, t.lane,
    t.updates, flush_position(p_first, p_others, u.at), case when u.at is not null then p_at end, u.run_id,
    to_timestamp(g.until_ms / 1000), flush_position(p_first, p_others, g.at), case when g.at is not null then p_at end,
    t.rejected, flush_position(p_first, p_others, r.at), case when r.at is not null then p_at end,
    r.partition, r.invalid, r.run_id
  from (
    select
      asset, lane,
      count(*) filter (where kind = 'updated' and invalid is null) as updates,
      count(*) filter (where invalid is not null) as rejected
    from unnest(p_assets)
    group by asset, lane
  ) as t
  left join (
    select distinct on (asset, lane) asset, lane, at, run_id from unnest(p_assets)
    where kind = 'updated' and invalid is null
    order by asset, lane, at desc
  ) as u on u.asset = t.asset and u.lane = t.lane
  left join (
    select distinct on (asset, lane) asset, lane, at, until_ms from unnest(p_assets)
    where kind = 'progress' and invalid is null
    order by asset, lane, until_ms desc, at
  ) as g on g.asset = t.asset and g.lane = t.lane
  left join (
    select distinct on (asset, lane) asset, lane, at, partition, invalid, run_id from unnest(p_assets)
    where invalid is not null
    order by asset, lane, at desc
  ) as r on r.asset = t.asset and r.lane = t.lane
  on conflict (workspace, asset, lane) do update set
    updates = asset_state.updates + excluded.updates,
    update_position = coalesce(excluded.update_position, asset_state.update_position),
    updated_at = coalesce(excluded.updated_at, asset_state.updated_at),
    run_id = case when excluded.update_position is null then asset_state.run_id else excluded.run_id end,
    progress_until = greatest(asset_state.progress_until, excluded.progress_until),
    progress_position = case
      when asset_state.progress_until is null or excluded.progress_until > asset_state.progress_until
      then excluded.progress_position
      else asset_state.progress_position
    end,
    progress_at = case
      when asset_state.progress_until is null or excluded.progress_until > asset_state.progress_until
      then excluded.progress_at
      else asset_state.progress_at
    end,
    rejected = asset_state.rejected + excluded.rejected,
    rejected_position = coalesce(excluded.rejected_position, asset_state.rejected_position),
    rejected_at = coalesce(excluded.rejected_at, asset_state.rejected_at),
    rejected_partition = case
      when excluded.rejected_position is null then asset_state.rejected_partition
      else excluded.rejected_partition
    end,
    rejected_reason = coalesce(excluded.rejected_reason, asset_state.rejected_reason),
    rejected_run_id = case
      when excluded.rejected_position is null then asset_state.rejected_run_id
      else excluded.rejected_run_id end;
end
$$;

create function flush_asset_writes(
  p_workspace integer, p_first bigint, p_at timestamptz, p_others integer[], p_assets flush_asset[]
) returns void
language plpgsql
as $$
begin
  insert into asset_use (workspace, run_id, generation, node, item, direction, asset, partition, position, version, at)
  select distinct on (a.run_id, a.generation, a.node, a.item, a.asset, a.partition)
    p_workspace, a.run_id, a.generation, a.node, a.item, 'write', a.asset, a.partition,
    flush_position(p_first, p_others, a.at), a.version, p_at
  from unnest(p_assets) as a
  where a.kind = 'updated' and a.invalid is null and a.run_id is not null
  order by a.run_id, a.generation, a.node, a.item, a.asset, a.partition, a.at desc
  on conflict (workspace, run_id, generation, node, item, direction, asset, partition) do update set
    position = excluded.position,
    version = excluded.version,
    at = excluded.at;
end
$$;

-- What an attempt that begins finds of the assets that its node reads.
alter function flush_rest(json) rename to flush_rest_before_assets;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_before_assets(p_rest);
  if p_rest -> 'assetReads' is not null then
    perform flush_asset_reads(p_rest);
  end if;
end
$$;

create function flush_asset_reads(p_rest json) returns void
language plpgsql
as $$
begin
  insert into asset_use (workspace, run_id, generation, node, item, direction, asset, partition, position, version, at)
  select distinct on (r.workspace, r.run_id, r.generation, r.node, r.item, r.asset, r.partition)
    r.workspace, r.run_id, r.generation, r.node, r.item, 'read', r.asset, r.partition,
    case when p.updates > 0 then p.position end, p.version, to_timestamp(r.at_ms / 1000)
  from json_to_recordset(p_rest -> 'assetReads')
    as r (
      workspace integer, run_id text, generation integer, node text, item text, lane text, asset text, partition text,
      at_ms double precision
    )
  left join asset_partition as p
    on p.workspace = r.workspace and p.asset = r.asset and p.lane = r.lane and p.partition = r.partition
  order by r.workspace, r.run_id, r.generation, r.node, r.item, r.asset, r.partition, r.at_ms desc
  on conflict (workspace, run_id, generation, node, item, direction, asset, partition) do update set
    position = excluded.position,
    version = excluded.version,
    at = excluded.at;
end
$$;
