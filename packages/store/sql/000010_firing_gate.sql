-- The gate of a trigger: which of its firings wait for a slot of their pipeline, and what became of those that did.
--
-- A firing that waits has the name of its run, and no run yet; its members stand under that name. One that was merged into
-- it has no run of its own: its members stand below the run that it was merged into, from `member_from` on.
alter table firing
  add column gate text,
  add column into_run text collate "C",
  add column member_from integer,
  add column member_count integer,
  -- The triggers that led to it, where there are others than its own, once.
  add column causes text,
  drop constraint firing_has_run_or_reason,
  add constraint firing_has_run_or_reason check (run_id is not null or reason is not null),
  add constraint firing_gate_known check (gate in ('waiting', 'started')),
  add constraint firing_at_gate_has_run check (gate is null or run_id is not null),
  add constraint firing_merged_whole check (
    (into_run is null) = (member_from is null) and (into_run is null) = (member_count is null)
  ),
  add constraint firing_merged_has_no_run check (into_run is null or run_id is null);
create index firing_at_gate on firing (workspace, pipeline, gate, at, position, key, occurrence, revision) where gate is not null;
create index firing_by_into on firing (workspace, into_run, member_from) where into_run is not null;

-- A tick and a silence both have a span.
alter table firing_member add column is_silence boolean not null default false;

alter function flush_rest(json) rename to flush_rest_before_gate;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_before_gate(p_rest);
  if p_rest -> 'gatedFirings' is not null or p_rest -> 'firingChanges' is not null or p_rest -> 'silences' is not null then
    perform flush_gates(p_rest);
  end if;
end
$$;

-- Changes are of firings of this flush, and of earlier ones.
create function flush_gates(p_rest json) returns void
language plpgsql
as $$
begin
  insert into firing (
    workspace, pipeline, version, key, occurrence, revision, at, position, run_id, reason, value, value_blob, gate,
    into_run, member_from, member_count, causes
  )
  select
    workspace, pipeline, version, key, occurrence, revision, to_timestamp(at_ms / 1000), position, run_id,
    reason::json, value::json, value_blob, gate, into_run, member_from, member_count, causes
  from json_to_recordset(p_rest -> 'gatedFirings')
    as f (
      workspace integer, pipeline text, version integer, key text, occurrence bigint, revision integer,
      at_ms double precision, position bigint, run_id text, reason text, value text, value_blob text, gate text,
      into_run text, member_from integer, member_count integer, causes text
    );

  update firing set
    gate = c.gate,
    reason = coalesce(c.reason::json, firing.reason),
    value = case when c.has_value then c.value::json else firing.value end,
    value_blob = case when c.has_value then c.value_blob else firing.value_blob end,
    causes = coalesce(c.causes, firing.causes)
  from json_to_recordset(p_rest -> 'firingChanges')
    as c (
      workspace integer, run_id text, gate text, reason text, has_value boolean, value text, value_blob text, causes text
    )
  where firing.workspace = c.workspace and firing.run_id = c.run_id;

  update firing_member set is_silence = true
  from json_to_recordset(p_rest -> 'silences') as s (workspace integer, run_id text, ordinal integer)
  where firing_member.workspace = s.workspace and firing_member.run_id = s.run_id and firing_member.ordinal = s.ordinal;
end
$$;
