-- The rare parts of a flush, in one pass over the document. Before this, each of its forty parts was looked for in the whole text,
-- and every flush that had any ran the statements of a dozen kinds.
--
-- Parts are written in the order in which they stand: whoever makes the document keeps what depends on another part behind it.
-- Joins with a live table name its index's first column as `= any (array[x])`: rows are then always found by their keys. With `= x` a plan
-- that was made when vacuum had just seen the table empty reads its index from end to end, once for each flush.
create or replace function flush_rest(p_rest json) returns void
language plpgsql
as $$
declare
  v_part text;
  v_rows json;
begin
  for v_part, v_rows in select key, value from json_each(p_rest) loop
    case v_part
    when 'reruns' then
      -- Another server may have made this generation meanwhile, and it may have ended: its row is no longer in the way.
      if exists (
        select
        from json_to_recordset(v_rows) as r (workspace integer, id text, generation integer)
        join run_history as h on h.workspace = r.workspace and h.id = r.id and h.generation >= r.generation
      ) then
        raise unique_violation using message = 'this generation of the run has ended', constraint = 'run_pkey';
      end if;
    when 'idempotencyKeys' then
      insert into idempotency_key (workspace, key, run_id, created_at)
      select workspace, key, run_id, to_timestamp(created_ms / 1000)
      from json_to_recordset(v_rows)
        as k (workspace integer, key text, run_id text, created_ms double precision);
    when 'runsChanged' then
      update run set
        state = c.state,
        reason = c.reason::json,
        cancel = c.cancel::json,
        started_at = to_timestamp(c.started_ms / 1000),
        wake_at = to_timestamp(c.wake_ms / 1000)
      from json_to_recordset(v_rows)
        as c (
          workspace integer, id text, state text, reason text, cancel text, started_ms double precision,
          wake_ms double precision
        )
      where run.workspace = any (array[c.workspace]) and run.id = c.id;
    when 'attempts' then
      insert into attempt_history (
        workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error, started_at, ended_at
      )
      select
        workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error::json,
        to_timestamp(started_ms / 1000), to_timestamp(ended_ms / 1000)
      from json_to_recordset(v_rows)
        as a (
          workspace integer, run_id text, node text, item text, generation integer, attempt integer, dispatch integer,
          state text, worker text, error text, started_ms double precision, ended_ms double precision
        );
    when 'messagesTaken' then
      delete from inbox
      using json_to_recordset(v_rows) as m (id bigint)
      where inbox.id = any (array[m.id]);
    when 'messagesSent' then
      insert into inbox (shard, message)
      select shard, message::json
      from json_to_recordset(v_rows) as m (shard smallint, message text);
    when 'limits' then
      insert into shared_limit (workspace, kind, name, shard, slots, set_by_operator)
      select workspace, kind, name, shard, slots, set_by_operator
      from json_to_recordset(v_rows)
        as l (workspace integer, kind text, name text, shard smallint, slots integer, set_by_operator boolean)
      on conflict (workspace, kind, name) do update set
        slots = excluded.slots,
        set_by_operator = excluded.set_by_operator;
    when 'grantsGone' then
      delete from limit_grant
      using json_to_recordset(v_rows) as g (workspace integer, kind text, name text, holder text)
      where limit_grant.workspace = any (array[g.workspace]) and limit_grant.kind = g.kind and limit_grant.name = g.name
        and limit_grant.holder = g.holder;
    when 'grants' then
      insert into limit_grant (workspace, kind, name, holder, shard, run_id, slots)
      select workspace, kind, name, holder, shard, run_id, slots
      from json_to_recordset(v_rows)
        as g (workspace integer, kind text, name text, holder text, shard smallint, run_id text, slots integer);
    when 'requestsGone' then
      delete from limit_request
      using json_to_recordset(v_rows) as r (workspace integer, kind text, name text, holder text)
      where limit_request.workspace = any (array[r.workspace]) and limit_request.kind = r.kind and limit_request.name = r.name
        and limit_request.holder = r.holder;
    when 'requests' then
      insert into limit_request (workspace, kind, name, holder, shard, reply_shard, run_id, slots, limit_slots, rank)
      select workspace, kind, name, holder, shard, reply_shard, run_id, slots, limit_slots, rank
      from json_to_recordset(v_rows)
        as r (
          workspace integer, kind text, name text, holder text, shard smallint, reply_shard smallint, run_id text,
          slots integer, limit_slots integer, rank double precision
        );
    when 'cached' then
      insert into cached_output (workspace, key, output, output_blob, output_bytes, recorded_at, expires_at)
      select workspace, key, output::json, output_blob, output_bytes, to_timestamp(recorded_ms / 1000), to_timestamp(expires_ms / 1000)
      from json_to_recordset(v_rows)
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
    when 'cursors' then
      update shard set log_position = greatest(log_position, c.position)
      from json_to_recordset(v_rows) as c (shard smallint, position bigint)
      where shard.shard = c.shard;
    when 'outboxTaken' then
      delete from log_outbox
      using json_to_recordset(v_rows) as o (id bigint)
      where log_outbox.id = any (array[o.id]);
    when 'triggers' then
      insert into trigger (
        workspace, pipeline, shard, version, definition, activated_position, activated_at, paused_position, paused_at
      )
      select
        workspace, pipeline, shard, version, definition::json, activated_position, to_timestamp(activated_ms / 1000),
        paused_position, to_timestamp(paused_ms / 1000)
      from json_to_recordset(v_rows)
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
    when 'triggerKeysGone' then
      delete from trigger_key
      using json_to_recordset(v_rows) as g (workspace integer, pipeline text)
      where trigger_key.workspace = any (array[g.workspace]) and trigger_key.pipeline = g.pipeline;
    when 'triggerKeys' then
      insert into trigger_key (workspace, pipeline, key, shard, state, firings, due_at, touched_at)
      select
        workspace, pipeline, key, shard, state::json, firings, to_timestamp(due_ms / 1000), to_timestamp(touched_ms / 1000)
      from json_to_recordset(v_rows)
        as k (
          workspace integer, pipeline text, key text, shard smallint, state text, firings bigint, due_ms double precision,
          touched_ms double precision
        )
      on conflict (workspace, pipeline, key) do update set
        state = excluded.state,
        firings = excluded.firings,
        due_at = excluded.due_at,
        touched_at = excluded.touched_at;
    when 'firings' then
      insert into firing (
        workspace, pipeline, version, key, occurrence, revision, at, position, run_id, reason, value, value_blob
      )
      select
        workspace, pipeline, version, key, occurrence, revision, to_timestamp(at_ms / 1000), position, run_id,
        reason::json, value::json, value_blob
      from json_to_recordset(v_rows)
        as f (
          workspace integer, pipeline text, version integer, key text, occurrence bigint, revision integer,
          at_ms double precision, position bigint, run_id text, reason text, value text, value_blob text
        );
    when 'firingMembers' then
      insert into firing_member (workspace, run_id, ordinal, operand, position, from_at, to_at)
      select
        workspace, run_id, ordinal, operand, position, to_timestamp(from_ms / 1000), to_timestamp(to_ms / 1000)
      from json_to_recordset(v_rows)
        as m (
          workspace integer, run_id text, ordinal integer, operand text, position bigint, from_ms double precision,
          to_ms double precision
        );
    when 'gatedFirings' then
      insert into firing (
        workspace, pipeline, version, key, occurrence, revision, at, position, run_id, reason, value, value_blob, gate,
        into_run, member_from, member_count, causes
      )
      select
        workspace, pipeline, version, key, occurrence, revision, to_timestamp(at_ms / 1000), position, run_id,
        reason::json, value::json, value_blob, gate, into_run, member_from, member_count, causes
      from json_to_recordset(v_rows)
        as f (
          workspace integer, pipeline text, version integer, key text, occurrence bigint, revision integer,
          at_ms double precision, position bigint, run_id text, reason text, value text, value_blob text, gate text,
          into_run text, member_from integer, member_count integer, causes text
        );
    when 'firingChanges' then
      update firing set
        gate = c.gate,
        reason = coalesce(c.reason::json, firing.reason),
        value = case when c.has_value then c.value::json else firing.value end,
        value_blob = case when c.has_value then c.value_blob else firing.value_blob end,
        causes = coalesce(c.causes, firing.causes)
      from json_to_recordset(v_rows)
        as c (
          workspace integer, run_id text, gate text, reason text, has_value boolean, value text, value_blob text, causes text
        )
      where firing.workspace = any (array[c.workspace]) and firing.run_id = c.run_id;
    when 'silences' then
      update firing_member set is_silence = true
      from json_to_recordset(v_rows) as s (workspace integer, run_id text, ordinal integer)
      where firing_member.workspace = any (array[s.workspace]) and firing_member.run_id = s.run_id and firing_member.ordinal = s.ordinal;
    when 'waitCursors' then
      update shard set wait_position = greatest(wait_position, c.position)
      from json_to_recordset(v_rows) as c (shard smallint, position bigint)
      where shard.shard = c.shard;
    when 'waitShapes' then
      insert into wait_shape (workspace, type, is_prefix, path)
      select workspace, type, is_prefix, path
      from json_to_recordset(v_rows) as s (workspace integer, type text, is_prefix boolean, path text)
      on conflict do nothing;
    when 'waits' then
      with made as (
        insert into wait (
          id, workspace, shard, run_id, node, item, generation, name, occurrence, condition, state, began_at, told_to,
          timeout_at, due_at, match_keys, approval
        )
        select
          id, workspace, shard, run_id, node, item, generation, name, occurrence, condition, state,
          to_timestamp(began_ms / 1000), told_to, to_timestamp(timeout_ms / 1000), to_timestamp(due_ms / 1000),
          match_keys, approval::json
        from json_to_recordset(v_rows)
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
    when 'waitsChanged' then
      with changed as (
        update wait set
          state = c.state,
          told_to = c.told_to,
          due_at = to_timestamp(c.due_ms / 1000),
          match_keys = case when c.outcome is null then wait.match_keys end,
          outcome = c.outcome::json
        from json_to_recordset(v_rows)
          as c (id bigint, state text, told_to bigint, due_ms double precision, outcome text, ended_keys bigint[])
        where wait.id = any (array[c.id])
        returning wait.id, c.ended_keys
      )
      delete from wait_match
      using changed, unnest(changed.ended_keys) as ended (key)
      where wait_match.key = any (array[ended.key]) and wait_match.wait_id = changed.id;
    when 'waitsGone' then
      with gone as (
        delete from wait
        using json_to_recordset(v_rows)
          as g (workspace integer, run_id text, node text, item text, name text, occurrence integer)
        where wait.workspace = any (array[g.workspace]) and wait.run_id = g.run_id and wait.node = g.node and wait.item = g.item
          and (g.name is null or (wait.name = g.name and wait.occurrence = g.occurrence))
        returning wait.id, wait.match_keys
      )
      delete from wait_match
      using gone, unnest(gone.match_keys) as left_over (key)
      where wait_match.key = any (array[left_over.key]) and wait_match.wait_id = gone.id;
    when 'steps' then
      insert into step (
        workspace, run_id, node, item, generation, kind, name, occurrence, seq, attempt, dispatch, outcome, value_blob,
        recorded_at
      )
      select
        workspace, run_id, node, item, generation, kind, name, occurrence, seq, attempt, dispatch, outcome::json, value_blob,
        to_timestamp(recorded_ms / 1000)
      from json_to_recordset(v_rows)
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
    when 'codes' then
      insert into task_code (workspace, run_id, node, item, code)
      select workspace, run_id, node, item, code::json
      from json_to_recordset(v_rows) as c (workspace integer, run_id text, node text, item text, code text)
      on conflict (workspace, run_id, node, item) do update set code = excluded.code;
    when 'runsMoved' then
      update run set bundle = m.bundle
      from json_to_recordset(v_rows) as m (workspace integer, id text, generation integer, bundle text)
      where run.workspace = any (array[m.workspace]) and run.id = m.id and run.generation = m.generation;
    when 'codesGone' then
      delete from task_code
      using json_to_recordset(v_rows) as g (workspace integer, run_id text)
      where task_code.workspace = any (array[g.workspace]) and task_code.run_id = g.run_id;
    when 'assetReads' then
      insert into asset_use (workspace, run_id, generation, node, item, direction, asset, partition, position, version, at)
      select distinct on (r.workspace, r.run_id, r.generation, r.node, r.item, r.asset, r.partition)
        r.workspace, r.run_id, r.generation, r.node, r.item, 'read', r.asset, r.partition,
        case when p.updates > 0 then p.position end, p.version, to_timestamp(r.at_ms / 1000)
      from json_to_recordset(v_rows)
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
    when 'sources' then
      insert into source (workspace, name, shard, place, events, last_event_at, state, changed_at, detail, error)
      select
        workspace, name, shard, place, events, to_timestamp(last_event_ms / 1000), state, to_timestamp(changed_ms / 1000),
        detail::json, error::json
      from json_to_recordset(v_rows)
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
    when 'sourcesForgotten' then
      delete from source_memory
      using json_to_recordset(v_rows) as f (workspace integer, source text)
      where source_memory.workspace = any (array[f.workspace]) and source_memory.source = f.source;
    when 'thingsForgotten' then
      delete from source_memory
      using json_to_recordset(v_rows) as f (workspace integer, source text, key text)
      where source_memory.workspace = any (array[f.workspace]) and source_memory.source = f.source and source_memory.key = f.key;
    when 'thingsRemembered' then
      insert into source_memory (workspace, source, key, fingerprint, version, told_at)
      select workspace, source, key, fingerprint, version, to_timestamp(told_ms / 1000)
      from json_to_recordset(v_rows)
        as r (
          workspace integer, source text, key text, fingerprint text, version bigint, told_ms double precision
        )
      on conflict (workspace, source, key) do update set
        fingerprint = excluded.fingerprint,
        version = excluded.version,
        told_at = excluded.told_at;
    when 'probes' then
      insert into probe (
        workspace, id, shard, name, args, next_at, looks, changes, fingerprint, value, changed_at, seen_at, looked_at,
        failures, error
      )
      select
        workspace, id, shard, name, args::json, to_timestamp(next_ms / 1000), looks, changes, fingerprint, value::json,
        to_timestamp(changed_ms / 1000), to_timestamp(seen_ms / 1000), to_timestamp(looked_ms / 1000), failures, error::json
      from json_to_recordset(v_rows)
        as p (
          workspace integer, id text, shard smallint, name text, args text, next_ms double precision, looks bigint,
          changes bigint, fingerprint text, value text, changed_ms double precision, seen_ms double precision,
          looked_ms double precision, failures integer, error text
        )
      on conflict (workspace, id) do update set
        next_at = excluded.next_at,
        looks = excluded.looks,
        changes = excluded.changes,
        fingerprint = excluded.fingerprint,
        value = excluded.value,
        changed_at = excluded.changed_at,
        seen_at = excluded.seen_at,
        looked_at = excluded.looked_at,
        failures = excluded.failures,
        error = excluded.error;
    when 'probesWanted' then
      insert into probe (workspace, id, shard, name, args, next_at)
      select workspace, id, shard, name, args::json, to_timestamp(next_ms / 1000)
      from json_to_recordset(v_rows)
        as w (workspace integer, id text, shard smallint, name text, args text, next_ms double precision)
      on conflict (workspace, id) do update set next_at = excluded.next_at
      where probe.next_at is null;
    when 'offersGone' then
      delete from offer
      using json_to_recordset(v_rows) as g (workspace integer, run_id text, node text, item text)
      where offer.workspace = any (array[g.workspace]) and offer.run_id = g.run_id and offer.node = g.node and offer.item = g.item;
    when 'offers' then
      insert into offer (workspace, run_id, node, item, generation, dispatch, queue, node_id, shard)
      select workspace, run_id, node, item, generation, dispatch, queue, node_id, shard
      from json_to_recordset(v_rows)
        as o (
          workspace integer, run_id text, node text, item text, generation integer, dispatch integer, queue text,
          node_id bigint, shard smallint
        )
      on conflict (workspace, run_id, node, item) do update set
        generation = excluded.generation,
        dispatch = excluded.dispatch,
        queue = excluded.queue,
        node_id = excluded.node_id,
        shard = excluded.shard;
    else
      raise exception 'a flush has no part named %', v_part;
    end case;
  end loop;
end
$$;

-- As it was, but that offers are parts like the others.
create or replace function flush(
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
      where run.workspace = any (array[e.workspace]) and run.id = e.id
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
      where task_run.workspace = any (array[final.workspace]) and task_run.run_id = final.run_id and task_run.node = final.node
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
      where task_run.workspace = any (array[e.workspace]) and task_run.run_id = e.id
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

-- Whole, as the planner reads a partial index from end to end where it believes the table to be empty.
drop index firing_by_run;
create unique index firing_by_run on firing (workspace, run_id);

drop function flush_offers(json);
drop function flush_rest_before_probes(json);
drop function flush_rest_before_moves(json);
drop function flush_rest_before_gate(json);
drop function flush_rest_before_sources(json);
drop function flush_rest_before_assets(json);
drop function flush_rest_before_waits(json);
drop function flush_rest_of_runs(json);
drop function flush_triggers(json);
drop function flush_gates(json);
drop function flush_waits(json);
drop function flush_code(json);
drop function flush_sources(json);
drop function flush_asset_reads(json);
