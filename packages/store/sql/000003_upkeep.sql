-- Daily partitions: made ahead, dropped when they were kept long enough.
--
-- U1: one session at a time does this; another one finds it done.
-- U2: rows that stand in the default partition for a day that gets its own partition move there.

create function keep_partitions(
  p_now timestamptz,
  p_days_ahead integer,
  p_retention_days integer,
  out made text[],
  out dropped text[]
)
language plpgsql
as $$
declare
  v_table text;
  v_key text;
  v_day date;
  v_name text;
  v_today date := (p_now at time zone 'utc')::date;
begin
  made := '{}';
  dropped := '{}';
  perform pg_advisory_xact_lock(8027230188393624949);
  for v_table, v_key in
    values
      ('run_history', 'ended_at'),
      ('task_run_history', 'run_ended_at'),
      ('attempt_history', 'ended_at'),
      ('log_chunk', 'created_at'),
      ('artifact', 'created_at')
  loop
    for v_day in select v_today + n from generate_series(0, p_days_ahead - 1) as n loop
      v_name := v_table || '_' || to_char(v_day, 'YYYYMMDD');
      continue when to_regclass('millrace.' || v_name) is not null;
      perform make_partition(v_table, v_key, v_name, v_day);
      made := made || v_name;
    end loop;
    for v_name in
      select c.relname
      from pg_inherits as i
      join pg_class as c on c.oid = i.inhrelid
      where i.inhparent = ('millrace.' || v_table)::regclass
        and c.relname ~ ('^' || v_table || '_\d{8}$')
        and to_date(right(c.relname, 8), 'YYYYMMDD') < v_today - p_retention_days
      order by c.relname
    loop
      execute format('drop table millrace.%I', v_name);
      dropped := dropped || v_name;
    end loop;
    execute format(
      'delete from millrace.%I where %I < $1',
      v_table || '_default', v_key
    ) using ((v_today - p_retention_days)::timestamp at time zone 'utc');
  end loop;
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
  execute format('lock table millrace.%I in share row exclusive mode', p_table || '_default');
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
