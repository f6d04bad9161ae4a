-- Task runs that found no free slot on their own node: a node with one claims them by deleting the row.
create table offer (
  workspace integer not null,
  run_id text collate "C" not null,
  node text collate "C" not null,
  item text collate "C" not null,
  generation integer not null,
  -- The number that the dispatch will have: the claimer names it by this token.
  dispatch integer not null,
  queue text not null,
  node_id bigint not null,
  shard smallint not null,
  constraint offer_pkey primary key (workspace, run_id, node, item)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index offer_by_queue on offer (queue);

create function flush_offers(p_rest json) returns void
language plpgsql
as $$
begin
  delete from offer
  using json_to_recordset(p_rest -> 'offersGone') as g (workspace integer, run_id text, node text, item text)
  where offer.workspace = g.workspace and offer.run_id = g.run_id and offer.node = g.node and offer.item = g.item;

  insert into offer (workspace, run_id, node, item, generation, dispatch, queue, node_id, shard)
  select workspace, run_id, node, item, generation, dispatch, queue, node_id, shard
  from json_to_recordset(p_rest -> 'offers')
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
end
$$;
