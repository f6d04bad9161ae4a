-- Sources: readers of other systems, and what they remember of what they have told.
--
-- A source is an entity of the shard of its name: the node that holds it reads, and no other one. Its events, its counters and
-- its memory are written in one flush: a thing is told exactly when it is remembered, and a fenced node writes neither.
create table source (
  workspace integer not null,
  name text collate "C" not null,
  shard smallint not null,
  -- What the memory is about, such as a folder: in another place everything is new.
  place text not null,
  -- Events so far. The number is part of an event's name, so the row stays when the source goes.
  events bigint not null,
  last_event_at timestamptz,
  state text not null,
  changed_at timestamptz not null,
  -- How it does: counts, the last look at all of it, a problem.
  detail json,
  -- Why it fails.
  error json,
  -- Set by operators, outside of flushes.
  paused boolean not null default false,
  constraint source_pkey primary key (workspace, name),
  constraint source_state_known check (state in ('starting', 'running', 'failing', 'paused', 'stopped')),
  constraint source_failing_says_why check ((state = 'failing') = (error is not null))
);

-- Things of a source that were told and are still there: files by their paths.
create table source_memory (
  workspace integer not null,
  source text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  version bigint not null,
  told_at timestamptz not null,
  constraint source_memory_pkey primary key (workspace, source, key)
);

alter function flush_rest(json) rename to flush_rest_before_sources;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_before_sources(p_rest);
  if p_rest -> 'sources' is not null then
    perform flush_sources(p_rest);
  end if;
end
$$;

-- Whatever changes a source's memory writes its row.
create function flush_sources(p_rest json) returns void
language plpgsql
as $$
begin
  insert into source (workspace, name, shard, place, events, last_event_at, state, changed_at, detail, error)
  select
    workspace, name, shard, place, events, to_timestamp(last_event_ms / 1000), state, to_timestamp(changed_ms / 1000),
    detail::json, error::json
  from json_to_recordset(p_rest -> 'sources')
    as s (
      workspace integer, name text, shard smallint, place text, events bigint, last_event_ms double precision,
      state text, changed_ms double precision, detail text, error text
    )
  on conflict (workspace, name) do update set
    shard = excluded.shard,
    place = excluded.place,
    events = excluded.events,
    last_event_at = excluded.last_event_at,
    state = excluded.state,
    changed_at = excluded.changed_at,
    detail = excluded.detail,
    error = excluded.error;

  if p_rest -> 'sourcesForgotten' is not null then
    delete from source_memory
    using json_to_recordset(p_rest -> 'sourcesForgotten') as f (workspace integer, source text)
    where source_memory.workspace = f.workspace and source_memory.source = f.source;
  end if;

  if p_rest -> 'thingsForgotten' is not null then
    delete from source_memory
    using json_to_recordset(p_rest -> 'thingsForgotten') as f (workspace integer, source text, key text)
    where source_memory.workspace = f.workspace and source_memory.source = f.source and source_memory.key = f.key;
  end if;

  if p_rest -> 'thingsRemembered' is not null then
    insert into source_memory (workspace, source, key, fingerprint, version, told_at)
    select workspace, source, key, fingerprint, version, to_timestamp(told_ms / 1000)
    from json_to_recordset(p_rest -> 'thingsRemembered')
      as r (
        workspace integer, source text, key text, fingerprint text, version bigint, told_ms double precision
      )
    on conflict (workspace, source, key) do update set
      fingerprint = excluded.fingerprint,
      version = excluded.version,
      told_at = excluded.told_at;
  end if;
end
$$;
