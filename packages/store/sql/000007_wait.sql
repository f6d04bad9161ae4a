-- Waits: what task runs wait for, a row each, and what their functions have recorded.
--
-- A wait is told the log by the owner of its run's shard. `shard.wait_position` says up to where that shard's waits were told
-- as their rows say; what lies behind it was told to those alone whose `told_to` is larger.
--
-- T1: a wait ends once: its row gets an outcome, and goes in the flush in which its run takes it.
-- T2: an entry of the log that may concern a wait is found by `wait_match`: by a hash of its type, and of the value that the
--     wait's filter asks for. `wait_shape` says at which paths values are asked for.
alter table shard add column wait_position bigint not null default 0;
update shard set wait_position = coalesce((select max(position) from log_head), 0);

create table wait (
  id bigint not null,
  workspace integer not null,
  shard smallint not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  name text collate "C" not null,
  occurrence integer not null,
  -- JSON; null: only time ends it. As text: nobody looks inside here.
  condition text,
  -- Null as long as nothing has changed it since it began.
  state text,
  began_at timestamptz not null,
  told_to bigint not null,
  timeout_at timestamptz,
  -- When time alone may end it or change its state.
  due_at timestamptz,
  match_keys bigint[],
  -- Of a wait for a person: what is asked for, and of whom.
  approval json,
  outcome json,
  constraint wait_pkey primary key (id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
create index wait_by_run on wait (workspace, run_id);
create index wait_by_due on wait (due_at, shard) where due_at is not null;
create index wait_by_end on wait (shard) where outcome is not null;
create index wait_by_approval on wait (workspace, began_at) where approval is not null;

create table wait_match (
  key bigint not null,
  wait_id bigint not null,
  shard smallint not null,
  constraint wait_match_pkey primary key (key, wait_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

create table wait_shape (
  workspace integer not null,
  type text collate "C" not null,
  is_prefix boolean not null,
  -- A path as JSON; empty: no value is asked for.
  path text collate "C" not null,
  constraint wait_shape_pkey primary key (workspace, type, is_prefix, path)
);

-- What a task's function waits for, over its dispatches.
create table task_code (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  code json not null,
  constraint task_code_pkey primary key (workspace, run_id, node, item)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

-- Steps that finished and waits that ended, in code: the first outcome of a name counts, but that a step failed counts for its
-- attempt only. Kept as long as history is.
create table step (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  kind text not null,
  name text collate "C" not null,
  occurrence integer not null,
  seq integer not null,
  attempt integer not null,
  dispatch integer not null,
  outcome json not null,
  value_blob text,
  recorded_at timestamptz not null,
  constraint step_pkey primary key (workspace, run_id, node, item, generation, kind, name, occurrence)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
create index step_by_age on step using brin (recorded_at);
create index step_by_blob on step (value_blob) where value_blob is not null;

alter domain attempt_state drop constraint attempt_state_check;
alter domain attempt_state add constraint attempt_state_check
  check (value in ('succeeded', 'failed', 'skipped', 'cancelled', 'lost', 'suspended'));

alter function flush_rest(json) rename to flush_rest_before_waits;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_before_waits(p_rest);
  if p_rest -> 'waits' is not null or p_rest -> 'waitsChanged' is not null or p_rest -> 'waitsGone' is not null
    or p_rest -> 'waitCursors' is not null then
    perform flush_waits(p_rest);
  end if;
  if p_rest -> 'steps' is not null or p_rest -> 'codes' is not null or p_rest -> 'codesGone' is not null then
    perform flush_code(p_rest);
  end if;
end
$$;

create function flush_waits(p_rest json) returns void
language plpgsql
as $$
begin
  update shard set wait_position = greatest(wait_position, c.position)
  from json_to_recordset(p_rest -> 'waitCursors') as c (shard smallint, position bigint)
  where shard.shard = c.shard;

  insert into wait_shape (workspace, type, is_prefix, path)
  select workspace, type, is_prefix, path
  from json_to_recordset(p_rest -> 'waitShapes') as s (workspace integer, type text, is_prefix boolean, path text)
  on conflict do nothing;

  with made as (
    insert into wait (
      id, workspace, shard, run_id, node, item, generation, name, occurrence, condition, state, began_at, told_to,
      timeout_at, due_at, match_keys, approval
    )
    select
      id, workspace, shard, run_id, node, item, generation, name, occurrence, condition, state,
      to_timestamp(began_ms / 1000), told_to, to_timestamp(timeout_ms / 1000), to_timestamp(due_ms / 1000),
      match_keys, approval::json
    from json_to_recordset(p_rest -> 'waits')
      as w (
        id bigint, workspace integer, shard smallint, run_id text, node text, item text, generation integer, name text,
        occurrence integer, condition text, state text, began_ms double precision, told_to bigint,
        timeout_ms double precision, due_ms double precision, match_keys bigint[], approval text
      )
    returning id, shard, match_keys
  )
  insert into wait_match (key, wait_id, shard)
  select key, id, shard
  from made, unnest(made.match_keys) as key;

  with changed as (
    update wait set
      state = c.state,
      told_to = c.told_to,
      due_at = to_timestamp(c.due_ms / 1000),
      match_keys = case when c.outcome is null then wait.match_keys end,
      outcome = c.outcome::json
    from json_to_recordset(p_rest -> 'waitsChanged')
      as c (id bigint, state text, told_to bigint, due_ms double precision, outcome text, ended_keys bigint[])
    where wait.id = c.id
    returning wait.id, c.ended_keys
  )
  delete from wait_match
  using changed, unnest(changed.ended_keys) as ended (key)
  where wait_match.key = ended.key and wait_match.wait_id = changed.id;

  with gone as (
    delete from wait
    using json_to_recordset(p_rest -> 'waitsGone')
      as g (workspace integer, run_id text, node text, item text, name text, occurrence integer)
    where wait.workspace = g.workspace and wait.run_id = g.run_id and wait.node = g.node and wait.item = g.item
      and (g.name is null or (wait.name = g.name and wait.occurrence = g.occurrence))
    returning wait.id, wait.match_keys
  )
  delete from wait_match
  using gone, unnest(gone.match_keys) as left_over (key)
  where wait_match.key = left_over.key and wait_match.wait_id = gone.id;
end
$$;

create function flush_code(p_rest json) returns void
language plpgsql
as $$
begin
  insert into step (
    workspace, run_id, node, item, generation, kind, name, occurrence, seq, attempt, dispatch, outcome, value_blob,
    recorded_at
  )
  select
    workspace, run_id, node, item, generation, kind, name, occurrence, seq, attempt, dispatch, outcome::json, value_blob,
    to_timestamp(recorded_ms / 1000)
  from json_to_recordset(p_rest -> 'steps')
    as s (
      workspace integer, run_id text, node text, item text, generation integer, kind text, name text,
      occurrence integer, seq integer, attempt integer, dispatch integer, outcome text, value_blob text,
      recorded_ms double precision
    )
  on conflict (workspace, run_id, node, item, generation, kind, name, occurrence) do update set
    seq = excluded.seq,
    attempt = excluded.attempt,
    dispatch = excluded.dispatch,
    outcome = excluded.outcome,
    value_blob = excluded.value_blob,
    recorded_at = excluded.recorded_at
  where step.kind = 'step' and step.outcome ->> 'kind' = 'error' and step.attempt < excluded.attempt;

  insert into task_code (workspace, run_id, node, item, code)
  select workspace, run_id, node, item, code::json
  from json_to_recordset(p_rest -> 'codes') as c (workspace integer, run_id text, node text, item text, code text)
  on conflict (workspace, run_id, node, item) do update set code = excluded.code;

  delete from task_code
  using json_to_recordset(p_rest -> 'codesGone') as g (workspace integer, run_id text)
  where task_code.workspace = g.workspace and task_code.run_id = g.run_id;
end
$$;
