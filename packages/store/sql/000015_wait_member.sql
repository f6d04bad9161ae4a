-- Which entries of the log ended which waits: for who asks what became of an event.
--
-- A row for each entry that satisfied the condition of a wait, written in the flush that ends the wait (T1). Nothing but time
-- ends a wait without one. Kept as long as history is.
create table wait_member (
  workspace integer not null,
  position bigint not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  name text collate "C" not null,
  occurrence integer not null,
  ended_at timestamptz not null,
  constraint wait_member_pkey primary key (workspace, position, run_id, node, item, generation, name, occurrence)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
create index wait_member_by_age on wait_member using brin (ended_at);

-- One more part of `flush_rest`, behind those of waits. It is put into the function as it stands: its other parts are not repeated.
do $$
declare
  v_now text := pg_get_functiondef('flush_rest(json)'::regprocedure);
  v_behind constant text := 'when ''steps'' then';
  v_part constant text := 'when ''waitMembers'' then
      insert into wait_member (workspace, position, run_id, node, item, generation, name, occurrence, ended_at)
      select workspace, position, run_id, node, item, generation, name, occurrence, to_timestamp(ended_ms / 1000)
      from json_to_recordset(v_rows)
        as m (
          workspace integer, position bigint, run_id text, node text, item text, generation integer, name text,
          occurrence integer, ended_ms double precision
        )
      on conflict do nothing;
    ';
begin
  if strpos(v_now, v_behind) = 0 then
    raise 'flush_rest has no part ''steps''';
  end if;
  execute replace(v_now, v_behind, v_part || v_behind);
end
$$;
