-- The engine's tables: nodes and shards, what is live, what is history, and the one function that commits a flush.
-- Times of live rows are the node's estimate of database time, given by the caller; leases alone use the server's clock.

create table workspace (
  id integer primary key,
  name text not null constraint workspace_name_unique unique
);
insert into workspace (id, name) values (1, 'default');

-- One row per server process and start. A take-over sets `fenced`; from then on none of its flushes can commit.
create table node (
  id bigint generated always as identity primary key,
  name text not null,
  url text,
  version text not null,
  started_at timestamptz not null,
  lease_until timestamptz not null,
  fenced boolean not null default false,
  last_flush bigint not null default 0
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

create table shard (
  shard smallint primary key constraint shard_range check (shard between 0 and 63),
  node_id bigint references node (id),
  epoch bigint not null default 0
) with (fillfactor = 50);
insert into shard (shard) select generate_series(0, 63)::smallint;

-- The rules of the state machines hold in their tables, whoever writes: a trigger for each row, not check constraints.
-- PostgreSQL reads and plans the expression of a check anew for every statement, which took 0.12 to 0.18 ms of a flush of
-- two rows; a trigger's function is read once per session.
create function broken_rule(rule text) returns void
language plpgsql
as $$
begin
  raise exception 'broken rule: %', rule using errcode = 'check_violation';
end
$$;

create function check_run() returns trigger
language plpgsql
as $$
begin
  if new.state not in ('queued', 'running', 'waiting', 'quarantined') then
    perform broken_rule('a live run is queued, running, waiting or quarantined');
  elsif new.state <> 'quarantined' and (new.state = 'queued') = (new.started_at is not null) then
    perform broken_rule('a run has started exactly when it is not queued');
  elsif new.state = 'quarantined' and new.reason is null then
    perform broken_rule('a quarantined run says why');
  elsif new.generation < 1 or new.depth not between 0 and 16 then
    perform broken_rule('a run has a generation from 1 and a depth from 0 to 16');
  elsif new.wake_at is not null and new.state not in ('running', 'waiting') then
    perform broken_rule('only a run that is under way is put out of memory');
  end if;
  return new;
end
$$;

create function check_task_run() returns trigger
language plpgsql
as $$
begin
  case new.state
    when 'running' then
      if new.dispatch < 1 or new.worker is null or new.started_at is null then
        perform broken_rule('a running task run has a dispatch, a worker and a start');
      end if;
    when 'retrying' then
      if new.resume_at is null then
        perform broken_rule('a retrying task run has an instant at which it is due');
      end if;
    when 'failed', 'upstream_failed', 'cancelled' then
      if new.reason is null then
        perform broken_rule('a failed, upstream_failed or cancelled task run says why');
      end if;
    when 'queued', 'waiting', 'succeeded', 'skipped' then
      null;
    else
      perform broken_rule('a task run has one of the known states');
  end case;
  if (new.state in ('succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled')) <> (new.ended_at is not null) then
    perform broken_rule('a task run has an end exactly when it has ended');
  elsif new.state <> 'succeeded' and (new.output is not null or new.output_blob is not null) then
    perform broken_rule('only a succeeded task run has an output');
  end if;
  return new;
end
$$;

-- The check of a domain is read once per session, too.
create domain ended_run_state as text check (value in ('succeeded', 'failed', 'cancelled', 'superseded'));
create domain attempt_state as text check (value in ('succeeded', 'failed', 'skipped', 'cancelled', 'lost'));

-- Runs that have not ended. A run leaves for run_history in the flush that ends it.
create table run (
  workspace integer not null,
  id text collate "C" not null,
  lane text not null default 'live',
  shard smallint not null,
  pipeline text not null,
  project text not null,
  bundle text not null,
  generation integer not null,
  state text not null,
  reason json,
  depth smallint not null default 0,
  parent json,
  labels json,
  params json,
  params_blob text,
  cancel json,
  created_at timestamptz not null,
  started_at timestamptz,
  -- Set while the run only waits and no node holds it in memory: when its next retry or deadline is due.
  wake_at timestamptz,
  constraint run_pkey primary key (workspace, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
create trigger run_sound before insert or update on run for each row execute function check_run();
create index run_by_shard on run (shard, state, id);
create index run_by_wake on run (shard, wake_at) where wake_at is not null;

create table task_run (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  state text not null,
  attempt integer not null,
  dispatch integer not null,
  losses integer not null default 0,
  worker text,
  started_at timestamptz,
  ended_at timestamptz,
  resume_at timestamptz,
  output json,
  output_blob text,
  output_bytes bigint,
  reason json,
  error json,
  child_run_id text,
  revoked boolean not null default false,
  carried boolean not null default false,
  constraint task_run_pkey primary key (workspace, run_id, node, item)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
create trigger task_run_sound before insert or update on task_run for each row execute function check_task_run();

-- Messages between entities of different shards, and commands that came in at another node.
create table inbox (
  id bigint generated always as identity primary key,
  shard smallint not null,
  message json not null
);
create index inbox_by_shard on inbox (shard, id);

-- Shared limits: pools, concurrency keys, active runs of a pipeline. `slots` is what may be granted at once.
create table shared_limit (
  workspace integer not null,
  kind text not null,
  name text collate "C" not null,
  shard smallint not null,
  slots integer not null,
  set_by_operator boolean not null default false,
  constraint shared_limit_pkey primary key (workspace, kind, name),
  constraint shared_limit_kind_known check (kind in ('pool', 'key', 'pipeline')),
  constraint shared_limit_slots_bounded check (slots between 0 and 1000000)
);
create index shared_limit_by_shard on shared_limit (shard);

create table limit_grant (
  workspace integer not null,
  kind text not null,
  name text collate "C" not null,
  holder text collate "C" not null,
  shard smallint not null,
  run_id text collate "C" not null,
  slots integer not null,
  constraint limit_grant_pkey primary key (workspace, kind, name, holder),
  constraint limit_grant_slots_positive check (slots > 0)
);
create index limit_grant_by_shard on limit_grant (shard);

create table limit_request (
  workspace integer not null,
  kind text not null,
  name text collate "C" not null,
  holder text collate "C" not null,
  shard smallint not null,
  reply_shard smallint not null,
  run_id text collate "C" not null,
  slots integer not null,
  limit_slots integer not null,
  rank double precision not null,
  constraint limit_request_pkey primary key (workspace, kind, name, holder)
);
create index limit_request_by_shard on limit_request (shard);

-- Identities that must stay unique while their runs are kept.
create table idempotency_key (
  workspace integer not null,
  key text collate "C" not null,
  run_id text not null,
  created_at timestamptz not null,
  constraint idempotency_key_pkey primary key (workspace, key)
);
create index idempotency_key_by_age on idempotency_key (created_at);

create table cached_output (
  workspace integer not null,
  key text collate "C" not null,
  output json,
  output_blob text,
  output_bytes bigint,
  recorded_at timestamptz not null,
  expires_at timestamptz,
  constraint cached_output_pkey primary key (workspace, key)
);

create table run_history (
  workspace integer not null,
  id text collate "C" not null,
  lane text not null,
  shard smallint not null,
  pipeline text collate "C" not null,
  project text not null,
  bundle text not null,
  generation integer not null,
  state ended_run_state not null,
  reason json,
  depth smallint not null,
  parent json,
  labels json,
  params json,
  params_blob text,
  output json,
  output_blob text,
  output_bytes bigint,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz not null,
  constraint run_history_pkey primary key (workspace, id, generation, ended_at)
) partition by range (ended_at);
create index run_history_by_pipeline on run_history (workspace, pipeline, id);

-- Partitioned by the run's end, so that a run's rows go together.
create table task_run_history (
  workspace integer not null,
  run_id text collate "C" not null,
  generation integer not null,
  node text collate "C" not null,
  item text collate "C" not null,
  state text not null,
  attempt integer not null,
  dispatch integer not null,
  worker text,
  started_at timestamptz,
  ended_at timestamptz,
  output json,
  output_blob text,
  output_bytes bigint,
  reason json,
  error json,
  child_run_id text,
  run_ended_at timestamptz not null,
  constraint task_run_history_pkey primary key (workspace, run_id, generation, node, item, run_ended_at)
) partition by range (run_ended_at);

-- Dispatches that ended without ending their task run: failed and tried again, or lost.
create table attempt_history (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  attempt integer not null,
  dispatch integer not null,
  state attempt_state not null,
  worker text,
  error json,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  constraint attempt_history_pkey primary key (workspace, run_id, node, item, generation, dispatch, ended_at)
) partition by range (ended_at);

create table log_chunk (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  attempt integer not null,
  dispatch integer not null,
  position integer not null,
  lines json not null,
  created_at timestamptz not null,
  constraint log_chunk_pkey primary key (workspace, run_id, node, item, generation, attempt, dispatch, position, created_at)
) partition by range (created_at);

create table artifact (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  attempt integer not null,
  name text not null,
  type text not null,
  media_type text not null,
  blob text not null,
  bytes bigint not null,
  created_at timestamptz not null,
  constraint artifact_pkey primary key (workspace, run_id, node, item, generation, attempt, name, created_at)
) partition by range (created_at);

-- Rows of days for which no partition was made ahead: nothing is refused for want of one.
create table run_history_default partition of run_history default;
create table task_run_history_default partition of task_run_history default;
create table attempt_history_default partition of attempt_history default;
create table log_chunk_default partition of log_chunk default;
create table artifact_default partition of artifact default;

-- What is deployed.
create table bundle (
  hash text collate "C" primary key,
  manifest json not null,
  code text not null,
  map text not null,
  created_at timestamptz not null
);

create table deployment (
  workspace integer not null,
  project text collate "C" not null,
  number integer not null,
  bundle text not null references bundle (hash),
  definition json not null,
  active boolean not null,
  created_at timestamptz not null,
  constraint deployment_pkey primary key (workspace, project, number)
);
create unique index deployment_one_active on deployment (workspace, project) where active;

create table pipeline (
  workspace integer not null,
  name text collate "C" not null,
  project text not null,
  bundle text not null,
  deployment integer not null,
  definition json not null,
  retired boolean not null default false,
  paused boolean not null,
  paused_by_operator boolean not null default false,
  constraint pipeline_pkey primary key (workspace, name)
);

create table worker_connection (
  id text primary key,
  node_id bigint not null references node (id) on delete cascade,
  detail json not null,
  connected_at timestamptz not null
);
