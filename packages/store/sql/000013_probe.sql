-- Things that probes look at: a probe of a project with arguments.
--
-- A thing is an entity of the shard of its id. It is looked at while it has `next_at`; what was seen stays for when it is looked at
-- again. What a look changes is written in the flush that tells it: a change is told once.
create table probe (
  workspace integer not null,
  id text collate "C" not null,
  shard smallint not null,
  name text not null,
  args json not null,
  -- Null: nobody waits for it, so nobody looks.
  next_at timestamptz,
  looks bigint not null default 0,
  changes bigint not null default 0,
  -- Null: nothing is there.
  fingerprint text,
  value json,
  changed_at timestamptz,
  seen_at timestamptz,
  looked_at timestamptz,
  failures integer not null default 0,
  error json,
  constraint probe_pkey primary key (workspace, id),
  constraint probe_failing_says_why check (failures = 0 or error is not null)
);
create index probe_looking on probe (shard) where next_at is not null;

alter function flush_rest(json) rename to flush_rest_before_probes;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_before_probes(p_rest);
  if p_rest -> 'probes' is not null then
    insert into probe (
      workspace, id, shard, name, args, next_at, looks, changes, fingerprint, value, changed_at, seen_at, looked_at,
      failures, error
    )
    select
      workspace, id, shard, name, args::json, to_timestamp(next_ms / 1000), looks, changes, fingerprint, value::json,
      to_timestamp(changed_ms / 1000), to_timestamp(seen_ms / 1000), to_timestamp(looked_ms / 1000), failures, error::json
    from json_to_recordset(p_rest -> 'probes')
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
  end if;
  if p_rest -> 'probesWanted' is not null then
    insert into probe (workspace, id, shard, name, args, next_at)
    select workspace, id, shard, name, args::json, to_timestamp(next_ms / 1000)
    from json_to_recordset(p_rest -> 'probesWanted')
      as w (workspace integer, id text, shard smallint, name text, args text, next_ms double precision)
    on conflict (workspace, id) do update set next_at = excluded.next_at
    where probe.next_at is null;
  end if;
end
$$;
