-- Runs that go on with another bundle than they began with.
alter function flush_rest(json) rename to flush_rest_before_moves;

create function flush_rest(p_rest json) returns void
language plpgsql
as $$
begin
  perform flush_rest_before_moves(p_rest);
  if p_rest -> 'runsMoved' is not null then
    update run set bundle = m.bundle
    from json_to_recordset(p_rest -> 'runsMoved') as m (workspace integer, id text, generation integer, bundle text)
    where run.workspace = m.workspace and run.id = m.id and run.generation = m.generation;
  end if;
end
$$;
