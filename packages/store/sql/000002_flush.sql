-- One flush of a node: everything that its shards decided since the last one, in one call and one transaction.
--
-- F1: it locks the node's own row, which a take-over fences first; a fenced node commits nothing.
-- F2: flush numbers rise by one, so that no flush lands twice and a node can learn whether its last one did.
-- F3: runs that end leave the live tables here, with their task runs. Rows of a run that ends in this flush (`p_final`) go
--     to history without a stop in the live table.
--
-- Each frequent kind of rows is an array of records, null when there are none: PostgreSQL reads these in less than half the
-- time that JSON takes. The rare kinds are one JSON document. Times are milliseconds since 1970. What becomes a column of
-- type json comes as text: taken apart as JSON it could not hold the character U+0000.
create type flush_run as (
  workspace integer, id text, lane text, shard smallint, pipeline text, project text, bundle text, generation integer,
  state text, depth smallint, parent text, labels text, params text, params_blob text, created_ms double precision,
  started_ms double precision
);

create type flush_task_run as (
  workspace integer, run_id text, node text, item text, generation integer, state text, attempt integer,
  dispatch integer, losses integer, worker text, started_ms double precision, ended_ms double precision,
  resume_ms double precision, output text, output_blob text, output_bytes bigint, reason text, error text, child text,
  revoked boolean, carried boolean, run_ended_ms double precision
);

create type flush_run_end as (
  workspace integer, id text, state text, reason text, output text, output_blob text, output_bytes bigint,
  ended_ms double precision
);

create function flush(
  p_node bigint,
  p_flush bigint,
  -- Runs that are made: rows of `run`.
  p_runs flush_run[],
  -- Task runs of runs that go on: rows of `task_run`.
  p_task_runs flush_task_run[],
  -- Runs that end, and their task runs that changed in this flush.
  p_ended flush_run_end[],
  p_final flush_task_run[],
  -- Those runs that end and have task runs in the database besides these.
  p_more flush_run_end[],
  p_rest json
) returns void
language plpgsql
as $$
begin
  update node set last_flush = p_flush where id = p_node and not fenced and last_flush = p_flush - 1;
  if not found then
    raise exception 'this node was fenced, or the flush is out of order' using errcode = 'MR001';
  end if;

  if p_runs is not null then
    insert into run (
      workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, parent, labels, params,
      params_blob, created_at, started_at
    )
    select
      workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth,
      parent::json, labels::json, params::json, params_blob,
      to_timestamp(created_ms / 1000), to_timestamp(started_ms / 1000)
    from unnest(p_runs) as c;
  end if;

  if p_rest is not null then
    perform flush_rest(p_rest);
    if p_rest -> 'offers' is not null or p_rest -> 'offersGone' is not null then
      perform flush_offers(p_rest);
    end if;
  end if;

  if p_task_runs is not null then
    insert into task_run (
      workspace, run_id, node, item, generation, state, attempt, dispatch, losses, worker, started_at, ended_at,
      resume_at, output, output_blob, output_bytes, reason, error, child_run_id, revoked, carried
    )
    select
      workspace, run_id, node, item, generation, state, attempt, dispatch, losses, worker,
      to_timestamp(started_ms / 1000), to_timestamp(ended_ms / 1000), to_timestamp(resume_ms / 1000),
      output::json, output_blob, output_bytes, reason::json, error::json, child, revoked, carried
    from unnest(p_task_runs) as c
    on conflict (workspace, run_id, node, item) do update set
      generation = excluded.generation,
      state = excluded.state,
      attempt = excluded.attempt,
      dispatch = excluded.dispatch,
      losses = excluded.losses,
      worker = excluded.worker,
      started_at = excluded.started_at,
      ended_at = excluded.ended_at,
      resume_at = excluded.resume_at,
      output = excluded.output,
      output_blob = excluded.output_blob,
      output_bytes = excluded.output_bytes,
      reason = excluded.reason,
      error = excluded.error,
      child_run_id = excluded.child_run_id,
      revoked = excluded.revoked,
      carried = excluded.carried;
  end if;

  if p_ended is not null then
    with gone as (
      delete from run
      using unnest(p_ended) as e
      where run.workspace = e.workspace and run.id = e.id
      returning
        run.workspace, run.id, run.lane, run.shard, run.pipeline, run.project, run.bundle, run.generation,
        e.state, e.reason, run.depth, run.parent, run.labels, run.params, run.params_blob,
        e.output, e.output_blob, e.output_bytes, run.created_at, run.started_at, e.ended_ms
    )
    insert into run_history (
      workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, parent, labels, params,
      params_blob, output, output_blob, output_bytes, created_at, started_at, ended_at
    )
    select
      workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason::json, depth, parent, labels, params,
      params_blob, output::json, output_blob, output_bytes, created_at, started_at, to_timestamp(ended_ms / 1000)
    from gone;
  end if;

  if p_final is not null then
    with final as materialized (
      select *
      from unnest(p_final) as c
    ),
    gone as (
      delete from task_run
      using final
      where task_run.workspace = final.workspace and task_run.run_id = final.run_id and task_run.node = final.node
        and task_run.item = final.item
    )
    insert into task_run_history (
      workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at, ended_at, output,
      output_blob, output_bytes, reason, error, child_run_id, run_ended_at
    )
    select
      workspace, run_id, generation, node, item, state, attempt, dispatch, worker,
      to_timestamp(started_ms / 1000), to_timestamp(ended_ms / 1000), output::json, output_blob, output_bytes,
      reason::json, error::json, child, to_timestamp(run_ended_ms / 1000)
    from final
    where not carried;
  end if;

  if p_more is not null then
    with gone as (
      delete from task_run
      using unnest(p_more) as e
      where task_run.workspace = e.workspace and task_run.run_id = e.id
      returning task_run.*, e.ended_ms
    )
    insert into task_run_history (
      workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at, ended_at, output,
      output_blob, output_bytes, reason, error, child_run_id, run_ended_at
    )
    select
      workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at, ended_at, output,
      output_blob, output_bytes, reason, error, child_run_id, to_timestamp(ended_ms / 1000)
    from gone
    where not carried;
  end if;
end
$$;

-- The rare parts of a flush.
create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  -- Another server may have made this generation meanwhile, and it may have ended: its row is no longer in the way.
  if p_rest -> 'reruns' is not null and exists (
    select
    from json_to_recordset(p_rest -> 'reruns') as r (workspace integer, id text, generation integer)
    join run_history as h on h.workspace = r.workspace and h.id = r.id and h.generation >= r.generation
  ) then
    raise unique_violation using message = 'this generation of the run has ended', constraint = 'run_pkey';
  end if;

  insert into idempotency_key (workspace, key, run_id, created_at)
  select workspace, key, run_id, to_timestamp(created_ms / 1000)
  from json_to_recordset(p_rest -> 'idempotencyKeys')
    as k (workspace integer, key text, run_id text, created_ms double precision);

  update run set
    state = c.state,
    reason = c.reason::json,
    cancel = c.cancel::json,
    started_at = to_timestamp(c.started_ms / 1000),
    wake_at = to_timestamp(c.wake_ms / 1000)
  from json_to_recordset(p_rest -> 'runsChanged')
    as c (
      workspace integer, id text, state text, reason text, cancel text, started_ms double precision,
      wake_ms double precision
    )
  where run.workspace = c.workspace and run.id = c.id;

  insert into attempt_history (
    workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error, started_at, ended_at
  )
  select
    workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error::json,
    to_timestamp(started_ms / 1000), to_timestamp(ended_ms / 1000)
  from json_to_recordset(p_rest -> 'attempts')
    as a (
      workspace integer, run_id text, node text, item text, generation integer, attempt integer, dispatch integer,
      state text, worker text, error text, started_ms double precision, ended_ms double precision
    );

  delete from inbox
  using json_to_recordset(p_rest -> 'messagesTaken') as m (id bigint)
  where inbox.id = m.id;

  insert into inbox (shard, message)
  select shard, message::json
  from json_to_recordset(p_rest -> 'messagesSent') as m (shard smallint, message text);

  insert into shared_limit (workspace, kind, name, shard, slots, set_by_operator)
  select workspace, kind, name, shard, slots, set_by_operator
  from json_to_recordset(p_rest -> 'limits')
    as l (workspace integer, kind text, name text, shard smallint, slots integer, set_by_operator boolean)
  on conflict (workspace, kind, name) do update set
    slots = excluded.slots,
    set_by_operator = excluded.set_by_operator;

  delete from limit_grant
  using json_to_recordset(p_rest -> 'grantsGone') as g (workspace integer, kind text, name text, holder text)
  where limit_grant.workspace = g.workspace and limit_grant.kind = g.kind and limit_grant.name = g.name
    and limit_grant.holder = g.holder;

  insert into limit_grant (workspace, kind, name, holder, shard, run_id, slots)
  select workspace, kind, name, holder, shard, run_id, slots
  from json_to_recordset(p_rest -> 'grants')
    as g (workspace integer, kind text, name text, holder text, shard smallint, run_id text, slots integer);

  delete from limit_request
  using json_to_recordset(p_rest -> 'requestsGone') as r (workspace integer, kind text, name text, holder text)
  where limit_request.workspace = r.workspace and limit_request.kind = r.kind and limit_request.name = r.name
    and limit_request.holder = r.holder;

  insert into limit_request (workspace, kind, name, holder, shard, reply_shard, run_id, slots, limit_slots, rank)
  select workspace, kind, name, holder, shard, reply_shard, run_id, slots, limit_slots, rank
  from json_to_recordset(p_rest -> 'requests')
    as r (
      workspace integer, kind text, name text, holder text, shard smallint, reply_shard smallint, run_id text,
      slots integer, limit_slots integer, rank double precision
    );

  insert into cached_output (workspace, key, output, output_blob, output_bytes, recorded_at, expires_at)
  select workspace, key, output::json, output_blob, output_bytes, to_timestamp(recorded_ms / 1000), to_timestamp(expires_ms / 1000)
  from json_to_recordset(p_rest -> 'cached')
    as c (
      workspace integer, key text, output text, output_blob text, output_bytes bigint, recorded_ms double precision,
      expires_ms double precision
    )
  on conflict (workspace, key) do update set
    output = excluded.output,
    output_blob = excluded.output_blob,
    output_bytes = excluded.output_bytes,
    recorded_at = excluded.recorded_at,
    expires_at = excluded.expires_at;
end
$$;
