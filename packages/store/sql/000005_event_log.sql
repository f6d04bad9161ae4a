-- The event log: entries with dense positions and times that never go back.
--
-- V1: whoever appends holds the row of `log_head` from the first look to the commit, so positions follow each other without
--     gaps and in the order of commits; the log's owner is the only one who wants it.
-- V2: (source, id) names one event for ever. It stands in a table that is not divided by day and is kept as long as the
--     longest retention; a second event of that name is told as what it is and not stored.
-- V3: entries are divided by retention class, then by day. Readers name both bounds of `recorded_at`, which they find in
--     `log_mark`: so they touch the partitions of those days alone.

create table log_head (
  workspace integer primary key,
  -- Of the last entry; 0 when there is none.
  position bigint not null,
  -- No later entry has a smaller `recorded_at`.
  clock timestamptz not null,
  -- Which flush changed this row last, and what its events became: asked for when its answer was lost.
  node_id bigint not null,
  flush bigint not null,
  change json
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- Now and then, which position was recorded when: at the first entry of a day, and at least each 4,096 positions.
create table log_mark (
  workspace integer not null,
  position bigint not null,
  recorded_at timestamptz not null,
  constraint log_mark_pkey primary key (workspace, position)
);
create index log_mark_by_time on log_mark (workspace, recorded_at);

create table event_identity (
  workspace integer not null,
  source text collate "C" not null,
  id text collate "C" not null,
  position bigint not null,
  -- Of what the event says besides source and id.
  content_hash bigint not null,
  recorded_at timestamptz not null,
  constraint event_identity_pkey primary key (workspace, source, id)
);
create index event_identity_by_time on event_identity using brin (recorded_at);

create table event_log (
  workspace integer not null,
  position bigint not null,
  recorded_at timestamptz not null,
  -- 1 short, 2 normal, 3 long, 4 audit.
  retention smallint not null,
  lane text not null,
  source text collate "C" not null,
  id text collate "C" not null,
  type text collate "C" not null,
  subject text collate "C",
  -- The event's own time; null where it has none.
  event_time timestamptz,
  -- Attributes besides: content type, schema, extensions; and whether the data is bytes.
  attributes json,
  data json,
  data_blob text collate "C",
  data_bytes bigint,
  invalid text,
  constraint event_log_pkey primary key (workspace, position, recorded_at, retention)
) partition by list (retention);
create index event_log_by_type on event_log (workspace, type, position);
create index event_log_by_subject on event_log (workspace, subject, position) where subject is not null;
-- Nobody looks for all of Millrace's own entries: they have types.
create index event_log_by_source on event_log (workspace, source, position) where source <> 'millrace';
create index event_log_by_blob on event_log (data_blob) where data_blob is not null;

create table event_log_short partition of event_log for values in (1) partition by range (recorded_at);
create table event_log_normal partition of event_log for values in (2) partition by range (recorded_at);
create table event_log_long partition of event_log for values in (3) partition by range (recorded_at);
create table event_log_audit partition of event_log for values in (4) partition by range (recorded_at);
create table event_log_short_default partition of event_log_short default;
create table event_log_normal_default partition of event_log_normal default;
create table event_log_long_default partition of event_log_long default;
create table event_log_audit_default partition of event_log_audit default;

-- `once`: only the flush that tells this entry makes it (that a run failed), so no second one of its name can come, and the
-- name is not kept: 100 entries took 0.59 ms instead of 1.35 (without fsync).
create type flush_event as (
  lane text, source text, id text, type text, subject text, time_ms double precision, retention smallint,
  attributes text, data text, data_blob text, data_bytes bigint, invalid text, once boolean
);

-- A flush that changes the log of one workspace: as `flush`, then its events, then the clock. What the events became is its
-- answer: those that are not listed in `others` have the positions from `first` on.
create function flush_with_log(
  p_node bigint,
  p_flush bigint,
  p_runs flush_run[],
  p_task_runs flush_task_run[],
  p_ended flush_run_end[],
  p_final flush_task_run[],
  p_more flush_run_end[],
  p_rest json,
  p_workspace integer,
  -- No entry of this flush, and no later one, has a smaller `recorded_at`.
  p_clock_ms double precision,
  p_events flush_event[]
) returns json
language plpgsql
as $$
declare
  v_head log_head;
  v_at timestamptz := to_timestamp(p_clock_ms / 1000);
  v_given integer := coalesce(cardinality(p_events), 0);
  v_new integer := v_given;
  v_kept bigint[];
  v_others json;
  v_change json;
begin
  perform flush(p_node, p_flush, p_runs, p_task_runs, p_ended, p_final, p_more, p_rest);
  v_head := flush_log_head(p_workspace, v_at, p_node, p_flush);
  v_at := greatest(v_at, v_head.clock);
  if v_given > 0 then
    v_new := flush_identities(p_workspace, p_events, v_head.position, v_at);
    if v_new < v_given then
      v_kept := flush_kept_events(p_workspace, p_events, v_head.position);
      v_others := flush_other_events(p_workspace, p_events, v_head.position, v_kept);
      perform flush_identity_positions(p_workspace, p_events, v_head.position, v_kept);
      p_events := (select array_agg(p_events[at] order by n) from unnest(v_kept) with ordinality as k (at, n));
    end if;
    if v_new > 0 then
      perform flush_log_entries(p_workspace, p_events, v_head.position, v_at);
      if v_head.position / 4096 < (v_head.position + v_new) / 4096
        or not exists (select from log_mark where workspace = p_workspace and recorded_at >= date_trunc('day', v_at, 'utc'))
      then
        perform flush_log_mark(p_workspace, v_head.position + 1, v_at);
      end if;
    end if;
  end if;
  v_change := json_build_object(
    'first', v_head.position + 1, 'count', v_new, 'clock', extract(epoch from v_at) * 1000, 'others', v_others
  );
  perform flush_log_change(p_workspace, v_head.position + v_new, v_at, p_node, p_flush, v_change);
  return v_change;
end
$$;

-- The log's row, locked; made when the workspace has none.
create function flush_log_head(p_workspace integer, p_at timestamptz, p_node bigint, p_flush bigint) returns log_head
language plpgsql
as $$
declare
  v_head log_head;
begin
  select * into v_head from log_head where workspace = p_workspace for update;
  if not found then
    insert into log_head (workspace, position, clock, node_id, flush)
    values (p_workspace, 0, p_at, p_node, p_flush)
    on conflict (workspace) do nothing;
    select * into v_head from log_head where workspace = p_workspace for update;
  end if;
  return v_head;
end
$$;

-- As before, with `once`: such an event is always new. Returns how many are new.
create function flush_identities(
  p_workspace integer, p_events flush_event[], p_position bigint, p_at timestamptz
) returns integer
language plpgsql
as $$
declare
  v_count integer;
begin
  -- Most flushes have nothing but a run's own entries.
  if not exists (select from unnest(p_events) as e where e.once is not true) then
    return cardinality(p_events);
  end if;
  insert into event_identity (workspace, source, id, position, content_hash, recorded_at)
  select p_workspace, e.source, e.id, p_position + e.n, event_content_hash(e.lane, e.type, e.subject, e.time_ms, e.attributes, e.data, e.data_blob), p_at
  from unnest(p_events) with ordinality
    as e (lane, source, id, type, subject, time_ms, retention, attributes, data, data_blob, data_bytes, invalid, once, n)
  where e.once is not true
  on conflict (workspace, source, id) do nothing;
  get diagnostics v_count = row_count;
  return v_count + (select count(*) from unnest(p_events) as e where e.once);
end
$$;

-- PostgreSQL's hash of rows is the same on all machines and versions: partitions by hash rely on it.
create function event_content_hash(
  p_lane text, p_type text, p_subject text, p_time_ms double precision, p_attributes text, p_data text, p_blob text
) returns bigint
language sql
immutable
parallel safe
return hash_record_extended(row(p_lane, p_type, p_subject, p_time_ms, p_attributes, p_data, p_blob), 0);

-- Which of the events brought their names: their places among those given, in order.
create function flush_kept_events(p_workspace integer, p_events flush_event[], p_position bigint) returns bigint[]
language plpgsql
as $$
begin
  return (
    select coalesce(array_agg(e.n order by e.n), '{}')
    from unnest(p_events) with ordinality
      as e (lane, source, id, type, subject, time_ms, retention, attributes, data, data_blob, data_bytes, invalid, once, n)
    left join event_identity as i on i.workspace = p_workspace and i.source = e.source and i.id = e.id
    where e.once or i.position = p_position + e.n
  );
end
$$;

-- What the others are: repeats of an event, or other events under its name. `at` counts from 0.
create function flush_other_events(
  p_workspace integer, p_events flush_event[], p_position bigint, p_kept bigint[]
) returns json
language plpgsql
as $$
begin
  return (
    select json_agg(
      json_build_object(
        'at', e.n - 1,
        'kind', case
          when i.content_hash = event_content_hash(e.lane, e.type, e.subject, e.time_ms, e.attributes, e.data, e.data_blob)
          then 'duplicate'
          else 'conflict'
        end,
        'position', case
          when i.position > p_position then p_position + array_position(p_kept, i.position - p_position)
          else i.position
        end
      )
      order by e.n
    )
    from unnest(p_events) with ordinality
      as e (lane, source, id, type, subject, time_ms, retention, attributes, data, data_blob, data_bytes, invalid, once, n)
    join event_identity as i on i.workspace = p_workspace and i.source = e.source and i.id = e.id
    where e.once is not true and i.position <> p_position + e.n
  );
end
$$;

-- Closes the gaps that the others left.
create function flush_identity_positions(
  p_workspace integer, p_events flush_event[], p_position bigint, p_kept bigint[]
) returns void
language plpgsql
as $$
begin
  update event_identity
  set position = p_position + k.n
  from unnest(p_kept) with ordinality as k (at, n)
  join unnest(p_events) with ordinality
    as e (lane, source, id, type, subject, time_ms, retention, attributes, data, data_blob, data_bytes, invalid, once, n)
    on e.n = k.at
  where event_identity.workspace = p_workspace and event_identity.source = e.source and event_identity.id = e.id
    and e.once is not true and k.at <> k.n;
end
$$;

create function flush_log_entries(
  p_workspace integer, p_events flush_event[], p_position bigint, p_at timestamptz
) returns void
language plpgsql
as $$
begin
  insert into event_log (
    workspace, position, recorded_at, retention, lane, source, id, type, subject, event_time, attributes, data, data_blob,
    data_bytes, invalid
  )
  select
    p_workspace, p_position + e.n, p_at, e.retention, e.lane, e.source, e.id, e.type, e.subject,
    to_timestamp(e.time_ms / 1000), e.attributes::json, e.data::json, e.data_blob, e.data_bytes, e.invalid
  from unnest(p_events) with ordinality
    as e (lane, source, id, type, subject, time_ms, retention, attributes, data, data_blob, data_bytes, invalid, once, n);
end
$$;

create function flush_log_mark(p_workspace integer, p_position bigint, p_at timestamptz) returns void
language plpgsql
as $$
begin
  insert into log_mark (workspace, position, recorded_at) values (p_workspace, p_position, p_at);
end
$$;

create function flush_log_change(
  p_workspace integer, p_position bigint, p_at timestamptz, p_node bigint, p_flush bigint, p_change json
) returns void
language plpgsql
as $$
begin
  update log_head
  set position = p_position, clock = p_at, node_id = p_node, flush = p_flush, change = p_change
  where workspace = p_workspace;
end
$$;
