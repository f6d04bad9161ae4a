--! breaking
-- What lists tell of definitions stands beside them, so that nobody reads the whole of each. Servers of before can't deploy any more:
-- what they would write does not say it.

-- A pipeline's live runs: without it they are looked for among all that are live. It costs each run 2 µs.
create index run_by_pipeline on run (workspace, pipeline, id);

-- Its definition without nodes, regions and schema, and how many nodes it has.
alter table pipeline add column summary json;

update pipeline set summary = (
  select json_object_agg(e.key, e.value)
  from (
    select key, value from json_each(definition) where key in ('description', 'owner', 'tags', 'maxActiveRuns', 'source')
    union all
    select 'nodes', to_json(json_array_length(definition -> 'nodes'))
  ) as e
);
alter table pipeline alter column summary set not null;

-- Its pipelines by name: how many nodes each has, and a hash of its definition.
alter table deployment add column pipelines jsonb;

update deployment set pipelines = (
  select coalesce(
    jsonb_object_agg(p ->> 'name', jsonb_build_object('nodes', json_array_length(p -> 'nodes'), 'hash', md5(p::text))), '{}'
  )
  from json_array_elements(definition -> 'pipelines') as p
);
alter table deployment alter column pipelines set not null;

-- Old firings are looked for by it, and rows come in its order. As a tree it was taken for the last firing of a pipeline, and read
-- through those of all others.
drop index firing_by_age;
create index firing_by_age on firing using brin (at);

-- Firings of one key among all of their trigger, newest first.
create index firing_by_key on firing (workspace, pipeline, key, at);
