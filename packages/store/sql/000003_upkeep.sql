-- Daily partitions: made ahead, dropped when they were kept long enough; and what tells whether a blob is in use.
--
-- U1: one session at a time does this for a table; another one waits and finds it done.
-- U2: rows that stand in the default partition for a day that gets its own partition move there.

create index run_by_params_blob on run (params_blob) where params_blob is not null;
create index task_run_by_output_blob on task_run (output_blob) where output_blob is not null;
create index cached_output_by_blob on cached_output (output_blob) where output_blob is not null;
create index run_history_by_params_blob on run_history (params_blob) where params_blob is not null;
create index run_history_by_output_blob on run_history (output_blob) where output_blob is not null;
create index task_run_history_by_output_blob on task_run_history (output_blob) where output_blob is not null;
create index artifact_by_blob on artifact (blob);

create function keep_partitions(
  p_table text,
  p_key text,
  p_now timestamptz,
  p_days_ahead integer,
  p_retention_days integer,
  out made text[],
  out dropped text[]
)
language plpgsql
set lock_timeout = '5s'
as $$
declare
  v_day date;
  v_name text;
  v_today date := (p_now at time zone 'utc')::date;
  v_first date := v_today - p_retention_days;
begin
  made := '{}';
  dropped := '{}';
  perform pg_advisory_xact_lock(hashtextextended('millrace keep_partitions ' || p_table, 0));
  for v_day in select v_today + n from generate_series(0, p_days_ahead - 1) as n loop
    v_name := p_table || '_' || to_char(v_day, 'YYYYMMDD');
    if to_regclass('millrace.' || v_name) is null then
      perform make_partition(p_table, p_key, v_name, v_day);
      made := made || v_name;
    end if;
  end loop;
  for v_name in
    select c.relname
    from pg_inherits as i
    join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = ('millrace.' || p_table)::regclass and c.relname ~ ('^' || p_table || '_[0-9]{8}$')
    order by c.relname
  loop
    if to_date(right(v_name, 8), 'YYYYMMDD') < v_first then
      execute format('drop table millrace.%I', v_name);
      dropped := dropped || v_name;
    end if;
  end loop;
  execute format('delete from millrace.%I where %I < $1', p_table || '_default', p_key)
  using v_first::timestamp at time zone 'utc';
end
$$;

-- A partition of one UTC day. The default partition must not hold rows of that day when it is attached.
create function make_partition(p_table text, p_key text, p_name text, p_day date) returns void
language plpgsql
as $$
declare
  v_from timestamptz := p_day::timestamp at time zone 'utc';
  v_to timestamptz := (p_day + 1)::timestamp at time zone 'utc';
begin
  execute format('create table millrace.%I (like millrace.%I including defaults including constraints)', p_name, p_table);
  execute format('lock table millrace.%I in access exclusive mode', p_table || '_default');
  execute format(
    'with moved as (delete from millrace.%I where %I >= %L and %I < %L returning *) insert into millrace.%I select * from moved',
    p_table || '_default', p_key, v_from, p_key, v_to, p_name
  );
  execute format(
    'alter table millrace.%I attach partition millrace.%I for values from (%L) to (%L)',
    p_table, p_name, v_from, v_to
  );
end
$$;
