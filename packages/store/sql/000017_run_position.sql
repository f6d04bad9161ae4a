-- Where the log ended when a run was made: its waits look back to there.
--
-- R1: what was committed to the log before anybody could ask for the run is at this position or before it; what is appended once
--     the run is committed comes after it. An instant can't say so: the run's is that of its own server, an entry's that of the
--     log's owner.
-- Rows of before have none: their waits look back by time.
alter table run add column log_position bigint;

-- Of a wait that listens to probes: it finds by itself what has changed after this position, and is told what was there before.
alter table wait add column joins_after bigint;

-- Put into the functions as they stand: their other parts are not repeated.
do $$
declare
  v_now text := pg_get_functiondef('flush(bigint, bigint, flush_run[], flush_task_run[], flush_run_end[], flush_task_run[], flush_run_end[], json)'::regprocedure);
  v_columns constant text := 'state, depth, parent, labels';
  v_values constant text := 'parent::json, labels::json';
  -- Read once for all runs of the first one's workspace, which is that of the others: for each of them it took 2 µs more.
  v_position constant text := 'coalesce(
        case
          when workspace = ((p_runs)[1]).workspace then
            (select h.position from log_head as h where h.workspace = any (array[((p_runs)[1]).workspace]))
          else (select h.position from log_head as h where h.workspace = any (array[c.workspace]))
        end,
        0
      ),
      ';
begin
  if strpos(v_now, v_columns) = 0 or strpos(v_now, v_values) = 0 then
    raise 'flush makes no runs as it did';
  end if;
  v_now := replace(v_now, v_columns, 'state, depth, log_position, parent, labels');
  execute replace(v_now, v_values, v_position || v_values);
end
$$;

do $$
declare
  v_now text := pg_get_functiondef('flush_rest(json)'::regprocedure);
  v_columns constant text := 'timeout_at, due_at, match_keys, approval';
  v_values constant text := 'match_keys, approval::json';
  v_read constant text := 'match_keys bigint[], approval text';
begin
  if strpos(v_now, v_columns) = 0 or strpos(v_now, v_values) = 0 or strpos(v_now, v_read) = 0 then
    raise 'flush_rest makes no waits as it did';
  end if;
  v_now := replace(v_now, v_columns, v_columns || ', joins_after');
  v_now := replace(v_now, v_values, v_values || ', joins_after');
  execute replace(v_now, v_read, v_read || ', joins_after bigint');
end
$$;
