--! breaking
-- Shapes of waits are of a shard, and go when no wait has them.
--
-- T3: a wait that has keys has a row of its shape for its shard. The shard's owner alone writes and removes these rows, in its
--     flushes, so that no wait is registered while its shape's row goes. Older servers keep shapes in memory for good, and would
--     register waits without a row: none of them may go on.
-- T4: the keys of one shape are one range of 2^40 numbers: its waits are looked for in `wait_match` by that range. Waits from before
--     this migration have other keys: the rows of their shapes are of no shard (-1), and go when the last of these waits has ended.
--
-- A flush locks its node's row first. The table before all else, or the two would wait for each other.
lock table node in access exclusive mode;
update node set fenced = true where not fenced;
alter table node add column row_form integer not null default 0;
alter table node alter column row_form drop default;
-- Which form of rows a server's code writes. One whose code names none can't register.
alter table node add constraint node_row_form_known check (row_form >= 1 or fenced);

alter table wait_shape add column shard smallint not null default -1;
alter table wait_shape alter column shard drop default;
-- Waits with smaller ids are older than ranges of keys.
alter table wait_shape add column before_wait bigint;
update wait_shape set before_wait = (select coalesce(max(id), 0) + 1 from wait);
alter table wait_shape drop constraint wait_shape_pkey;
alter table wait_shape add constraint wait_shape_pkey primary key (workspace, type, is_prefix, path, shard);
alter table wait_shape add constraint wait_shape_of_no_shard_is_old check ((shard = -1) = (before_wait is not null));

-- The part of `flush_rest`, in its place.
do $$
declare
  v_now text := pg_get_functiondef('flush_rest(json)'::regprocedure);
  v_part constant text := 'when ''waitShapes'' then
      insert into wait_shape (workspace, type, is_prefix, path)
      select workspace, type, is_prefix, path
      from json_to_recordset(v_rows) as s (workspace integer, type text, is_prefix boolean, path text)
      on conflict do nothing;
    ';
  v_parts constant text := 'when ''waitShapesGone'' then
      delete from wait_shape
      using json_to_recordset(v_rows)
        as g (workspace integer, type text, is_prefix boolean, path text, shards smallint[])
      where wait_shape.workspace = any (array[g.workspace]) and wait_shape.type = g.type
        and wait_shape.is_prefix = g.is_prefix and wait_shape.path = g.path and wait_shape.shard = any (g.shards);
    when ''waitShapes'' then
      insert into wait_shape (workspace, type, is_prefix, path, shard)
      select workspace, type, is_prefix, path, shard
      from json_to_recordset(v_rows) as s (workspace integer, type text, is_prefix boolean, path text, shard smallint)
      on conflict do nothing;
    ';
begin
  if strpos(v_now, v_part) = 0 then
    raise 'flush_rest has another part ''waitShapes''';
  end if;
  execute replace(v_now, v_part, v_parts);
end
$$;
