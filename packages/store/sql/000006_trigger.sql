-- Triggers: their state as of a position of the log, and their firings.
--
-- A trigger is an entity of the shard of its pipeline's name. Its owner reads the log in order; `shard.log_position` says how
-- far the rows of a shard's triggers reach. It is written in the flush that changes them, and now and then besides: what lies
-- between concerned none of them, and is read again after a take-over without any effect.
alter table shard add column log_position bigint not null default 0;

create table trigger (
  workspace integer not null,
  pipeline text collate "C" not null,
  shard smallint not null,
  version integer not null,
  -- Null: the pipeline has none any more; the row keeps counting versions.
  definition json,
  -- Where in the log this version began.
  activated_position bigint not null,
  activated_at timestamptz not null,
  paused_position bigint,
  paused_at timestamptz,
  constraint trigger_pkey primary key (workspace, pipeline),
  constraint trigger_paused_whole check ((paused_position is null) = (paused_at is null))
);
create index trigger_by_shard on trigger (shard);

-- The state of a trigger's condition, for each value of its key; the empty text where it has no key.
create table trigger_key (
  workspace integer not null,
  pipeline text collate "C" not null,
  key text collate "C" not null,
  shard smallint not null,
  state json not null,
  -- Firings of this key, or of those before it that were forgotten, are numbered up to here.
  firings bigint not null,
  -- When time alone changes the state.
  due_at timestamptz,
  touched_at timestamptz not null,
  constraint trigger_key_pkey primary key (workspace, pipeline, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
create index trigger_key_by_due on trigger_key (shard, due_at) where due_at is not null;
create index trigger_key_by_age on trigger_key using brin (touched_at);

-- The identity of a firing is its key: it starts one run. `value` is what the run's tasks see of it.
create table firing (
  workspace integer not null,
  pipeline text collate "C" not null,
  version integer not null,
  key text collate "C" not null,
  occurrence bigint not null,
  revision integer not null,
  -- Log time and position at which it was decided.
  at timestamptz not null,
  position bigint not null,
  -- Null: no run could begin, for this reason.
  run_id text collate "C",
  reason json,
  value json,
  value_blob text,
  constraint firing_pkey primary key (workspace, pipeline, version, key, occurrence, revision),
  constraint firing_has_run_or_reason check ((run_id is null) = (reason is not null))
);
create unique index firing_by_run on firing (workspace, run_id) where run_id is not null;
create index firing_by_time on firing (workspace, pipeline, at);
create index firing_by_age on firing (at);
create index firing_by_blob on firing (value_blob) where value_blob is not null;

-- Which entries satisfied it, by operand. A tick or a silence has the span instead of a position.
create table firing_member (
  workspace integer not null,
  run_id text collate "C" not null,
  ordinal integer not null,
  operand text not null,
  position bigint,
  from_at timestamptz,
  to_at timestamptz,
  constraint firing_member_pkey primary key (workspace, run_id, ordinal)
);
create index firing_member_by_position on firing_member (workspace, position) where position is not null;

-- What was decided outside of a flush and belongs into the log: a deploy, an operator's pause. Written in that transaction,
-- taken in the flush that puts it into the log.
create table log_outbox (
  id bigint generated always as identity primary key,
  workspace integer not null,
  type text not null,
  subject text not null,
  data json not null
);

alter function flush_rest(json) rename to flush_rest_of_runs;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_of_runs(p_rest);
  if p_rest -> 'cursors' is not null or p_rest -> 'outboxTaken' is not null then
    perform flush_triggers(p_rest);
  end if;
end
$$;

-- Whatever changes triggers moves a cursor.
create function flush_triggers(p_rest json) returns void
language plpgsql
as $$
begin
  update shard set log_position = greatest(log_position, c.position)
  from json_to_recordset(p_rest -> 'cursors') as c (shard smallint, position bigint)
  where shard.shard = c.shard;

  delete from log_outbox
  using json_to_recordset(p_rest -> 'outboxTaken') as o (id bigint)
  where log_outbox.id = o.id;

  insert into trigger (
    workspace, pipeline, shard, version, definition, activated_position, activated_at, paused_position, paused_at
  )
  select
    workspace, pipeline, shard, version, definition::json, activated_position, to_timestamp(activated_ms / 1000),
    paused_position, to_timestamp(paused_ms / 1000)
  from json_to_recordset(p_rest -> 'triggers')
    as t (
      workspace integer, pipeline text, shard smallint, version integer, definition text, activated_position bigint,
      activated_ms double precision, paused_position bigint, paused_ms double precision
    )
  on conflict (workspace, pipeline) do update set
    version = excluded.version,
    definition = excluded.definition,
    activated_position = excluded.activated_position,
    activated_at = excluded.activated_at,
    paused_position = excluded.paused_position,
    paused_at = excluded.paused_at;

  delete from trigger_key
  using json_to_recordset(p_rest -> 'triggerKeysGone') as g (workspace integer, pipeline text)
  where trigger_key.workspace = g.workspace and trigger_key.pipeline = g.pipeline;

  insert into trigger_key (workspace, pipeline, key, shard, state, firings, due_at, touched_at)
  select
    workspace, pipeline, key, shard, state::json, firings, to_timestamp(due_ms / 1000), to_timestamp(touched_ms / 1000)
  from json_to_recordset(p_rest -> 'triggerKeys')
    as k (
      workspace integer, pipeline text, key text, shard smallint, state text, firings bigint, due_ms double precision,
      touched_ms double precision
    )
  on conflict (workspace, pipeline, key) do update set
    state = excluded.state,
    firings = excluded.firings,
    due_at = excluded.due_at,
    touched_at = excluded.touched_at;

  insert into firing (
    workspace, pipeline, version, key, occurrence, revision, at, position, run_id, reason, value, value_blob
  )
  select
    workspace, pipeline, version, key, occurrence, revision, to_timestamp(at_ms / 1000), position, run_id,
    reason::json, value::json, value_blob
  from json_to_recordset(p_rest -> 'firings')
    as f (
      workspace integer, pipeline text, version integer, key text, occurrence bigint, revision integer,
      at_ms double precision, position bigint, run_id text, reason text, value text, value_blob text
    );

  insert into firing_member (workspace, run_id, ordinal, operand, position, from_at, to_at)
  select
    workspace, run_id, ordinal, operand, position, to_timestamp(from_ms / 1000), to_timestamp(to_ms / 1000)
  from json_to_recordset(p_rest -> 'firingMembers')
    as m (
      workspace integer, run_id text, ordinal integer, operand text, position bigint, from_ms double precision,
      to_ms double precision
    );
end
$$;
