-- One flush of a node: everything that its shards decided since the last one, in one call and one transaction.
--
-- F1: it locks the node's own row, which a take-over fences first; a fenced node commits nothing.
-- F2: flush numbers rise by one, so that no flush lands twice and a node can learn whether its last one did.
-- F3: runs that end leave the live tables here, with their task runs. Rows of a run that ends in this flush (`tr_run_ended_ms`) go
--     to history without a stop in the live table.
--
-- Hot rows come as arrays; what is rare comes as one JSON document. Times are milliseconds since 1970.
create function flush(
  p_node bigint,
  p_flush bigint,
  cr_workspace integer[],
  cr_id text[],
  cr_lane text[],
  cr_shard integer[],
  cr_pipeline text[],
  cr_project text[],
  cr_bundle text[],
  cr_generation integer[],
  cr_state text[],
  cr_depth integer[],
  cr_parent text[],
  cr_labels text[],
  cr_params text[],
  cr_params_blob text[],
  cr_created_ms double precision[],
  cr_started_ms double precision[],
  tr_workspace integer[],
  tr_run_id text[],
  tr_node text[],
  tr_item text[],
  tr_generation integer[],
  tr_state text[],
  tr_attempt integer[],
  tr_dispatch integer[],
  tr_losses integer[],
  tr_worker text[],
  tr_started_ms double precision[],
  tr_ended_ms double precision[],
  tr_resume_ms double precision[],
  tr_output text[],
  tr_output_blob text[],
  tr_output_bytes bigint[],
  tr_reason text[],
  tr_error text[],
  tr_child text[],
  tr_revoked boolean[],
  tr_carried boolean[],
  tr_run_ended_ms double precision[],
  en_workspace integer[],
  en_id text[],
  en_state text[],
  en_reason text[],
  en_output text[],
  en_output_blob text[],
  en_output_bytes bigint[],
  en_ended_ms double precision[],
  p_rest json
) returns void
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
  update node set last_flush = p_flush where id = p_node and not fenced and last_flush = p_flush - 1;
  if not found then
    raise exception 'this node was fenced, or the flush is out of order' using errcode = 'MR001';
  end if;

  if cardinality(cr_id) > 0 then
    insert into run (
      workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, parent, labels, params,
      params_blob, created_at, started_at
    )
    select
      c.workspace, c.id, c.lane, c.shard, c.pipeline, c.project, c.bundle, c.generation, c.state, c.depth,
      c.parent::json, c.labels::json, c.params::json, c.params_blob,
      to_timestamp(c.created_ms / 1000), to_timestamp(c.started_ms / 1000)
    from unnest(
      cr_workspace, cr_id, cr_lane, cr_shard, cr_pipeline, cr_project, cr_bundle, cr_generation, cr_state, cr_depth,
      cr_parent, cr_labels, cr_params, cr_params_blob, cr_created_ms, cr_started_ms
    ) as c (
      workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth,
      parent, labels, params, params_blob, created_ms, started_ms
    );
  end if;

  if p_rest is not null then
    perform flush_rest(p_rest);
    if p_rest -> 'offers' is not null or p_rest -> 'offersGone' is not null then
      perform flush_offers(p_rest);
    end if;
  end if;

  if cardinality(tr_run_id) > 0 then
    insert into task_run as t (
      workspace, run_id, node, item, generation, state, attempt, dispatch, losses, worker, started_at, ended_at,
      resume_at, output, output_blob, output_bytes, reason, error, child_run_id, revoked, carried
    )
    select
      c.workspace, c.run_id, c.node, c.item, c.generation, c.state, c.attempt, c.dispatch, c.losses, c.worker,
      to_timestamp(c.started_ms / 1000), to_timestamp(c.ended_ms / 1000), to_timestamp(c.resume_ms / 1000),
      c.output::json, c.output_blob, c.output_bytes, c.reason::json, c.error::json, c.child, c.revoked, c.carried
    from unnest(
      tr_workspace, tr_run_id, tr_node, tr_item, tr_generation, tr_state, tr_attempt, tr_dispatch, tr_losses, tr_worker,
      tr_started_ms, tr_ended_ms, tr_resume_ms, tr_output, tr_output_blob, tr_output_bytes, tr_reason, tr_error,
      tr_child, tr_revoked, tr_carried, tr_run_ended_ms
    ) as c (
      workspace, run_id, node, item, generation, state, attempt, dispatch, losses, worker,
      started_ms, ended_ms, resume_ms, output, output_blob, output_bytes, reason, error, child, revoked, carried, run_ended_ms
    )
    where c.run_ended_ms is null
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

  if cardinality(en_id) > 0 then
    with gone as (
      delete from run
      using unnest(en_workspace, en_id, en_state, en_reason, en_output, en_output_blob, en_output_bytes, en_ended_ms)
        as e (workspace, id, state, reason, output, output_blob, output_bytes, ended_ms)
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

    -- Three statements without a join between two arrays: of those the planner knows no sizes.
    delete from task_run
    using unnest(tr_workspace, tr_run_id, tr_node, tr_item, tr_run_ended_ms) as c (workspace, run_id, node, item, run_ended_ms)
    where c.run_ended_ms is not null and task_run.workspace = c.workspace and task_run.run_id = c.run_id
      and task_run.node = c.node and task_run.item = c.item;

    insert into task_run_history (
      workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at, ended_at, output,
      output_blob, output_bytes, reason, error, child_run_id, run_ended_at
    )
    select
      c.workspace, c.run_id, c.generation, c.node, c.item, c.state, c.attempt, c.dispatch, c.worker,
      to_timestamp(c.started_ms / 1000), to_timestamp(c.ended_ms / 1000), c.output::json, c.output_blob, c.output_bytes,
      c.reason::json, c.error::json, c.child, to_timestamp(c.run_ended_ms / 1000)
    from unnest(
      tr_workspace, tr_run_id, tr_node, tr_item, tr_generation, tr_state, tr_attempt, tr_dispatch, tr_worker,
      tr_started_ms, tr_ended_ms, tr_output, tr_output_blob, tr_output_bytes, tr_reason, tr_error, tr_child, tr_carried,
      tr_run_ended_ms
    ) as c (
      workspace, run_id, node, item, generation, state, attempt, dispatch, worker,
      started_ms, ended_ms, output, output_blob, output_bytes, reason, error, child, carried, run_ended_ms
    )
    where c.run_ended_ms is not null and not c.carried;

    with gone as (
      delete from task_run
      using unnest(en_workspace, en_id, en_ended_ms) as e (workspace, run_id, ended_ms)
      where task_run.workspace = e.workspace and task_run.run_id = e.run_id
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
set enable_seqscan = off
as $$
begin
  update run set
    state = c.state,
    reason = c.reason,
    cancel = c.cancel,
    started_at = to_timestamp(c.started_ms / 1000)
  from json_to_recordset(p_rest -> 'runsChanged')
    as c (workspace integer, id text, state text, reason json, cancel json, started_ms double precision)
  where run.workspace = c.workspace and run.id = c.id;

  insert into attempt_history (
    workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error, started_at, ended_at
  )
  select
    workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error,
    to_timestamp(started_ms / 1000), to_timestamp(ended_ms / 1000)
  from json_to_recordset(p_rest -> 'attempts')
    as a (
      workspace integer, run_id text, node text, item text, generation integer, attempt integer, dispatch integer,
      state text, worker text, error json, started_ms double precision, ended_ms double precision
    );

  delete from timer
  using json_to_recordset(p_rest -> 'timersCleared') as c (workspace integer, run_id text, kind text, node text, item text)
  where timer.workspace = c.workspace and timer.run_id = c.run_id and timer.kind = c.kind
    and timer.node = c.node and timer.item = c.item;

  insert into timer (workspace, run_id, kind, node, item, generation, shard, due_at)
  select workspace, run_id, kind, node, item, generation, shard, to_timestamp(due_ms / 1000)
  from json_to_recordset(p_rest -> 'timersSet')
    as s (
      workspace integer, run_id text, kind text, node text, item text, generation integer, shard smallint,
      due_ms double precision
    )
  on conflict (workspace, run_id, kind, node, item) do update set
    generation = excluded.generation,
    shard = excluded.shard,
    due_at = excluded.due_at;

  delete from inbox
  using json_to_recordset(p_rest -> 'messagesTaken') as m (id bigint)
  where inbox.id = m.id;

  insert into inbox (shard, message)
  select shard, message
  from json_to_recordset(p_rest -> 'messagesSent') as m (shard smallint, message json);

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
  select workspace, key, output, output_blob, output_bytes, to_timestamp(recorded_ms / 1000), to_timestamp(expires_ms / 1000)
  from json_to_recordset(p_rest -> 'cached')
    as c (
      workspace integer, key text, output json, output_blob text, output_bytes bigint, recorded_ms double precision,
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
