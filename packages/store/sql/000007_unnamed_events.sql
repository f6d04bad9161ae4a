--! breaking
-- Older processes write events without `once`, which the type then lacks.
-- Entries that only the flush which tells them makes: that a run finished. No second one of their name can come, so their
-- names are not kept: 100 entries took 0.59 ms instead of 1.35 (without fsync).
alter type flush_event add attribute once boolean;

-- Nobody looks for all of Millrace's own entries: they have types.
drop index event_log_by_source;
create index event_log_by_source on event_log (workspace, source, position) where source <> 'millrace';

-- As before, with `once`: such an event is always new. Returns how many are new.
create or replace function flush_identities(
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

create or replace function flush_kept_events(p_workspace integer, p_events flush_event[], p_position bigint) returns bigint[]
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

create or replace function flush_other_events(
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

create or replace function flush_identity_positions(
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

create or replace function flush_log_entries(
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
