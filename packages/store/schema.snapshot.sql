-- Written by `MILLRACE_WRITE_SCHEMA=1 npx vitest run packages/store/test/engine/schema-snapshot.test.ts`.

table artifact partition by RANGE (created_at)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  attempt integer not null
  name text not null
  type text not null
  media_type text not null
  blob text not null
  bytes bigint not null
  created_at timestamp with time zone not null
  constraint artifact_pkey PRIMARY KEY (workspace, run_id, node, item, generation, attempt, name, created_at)
  CREATE INDEX artifact_by_blob ON ONLY millrace.artifact USING btree (blob)

table asset_partition with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=2000)
  workspace integer not null
  asset text collate "C" not null
  lane text not null
  partition text collate "C" not null
  updates bigint not null
  position bigint not null
  updated_at timestamp with time zone
  is_observed boolean not null
  version text
  metadata json
  revision integer
  run_id text collate "C"
  pipeline text collate "C"
  node text collate "C"
  item text collate "C"
  generation integer
  constraint asset_partition_pkey PRIMARY KEY (workspace, asset, lane, partition)
  constraint asset_partition_update_whole CHECK ((((updates = 0) = (updated_at IS NULL)) AND ((updates = 0) = (version IS NULL))))

table asset_state with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=2000)
  workspace integer not null
  asset text collate "C" not null
  lane text not null
  updates bigint not null
  update_position bigint
  updated_at timestamp with time zone
  run_id text collate "C"
  progress_until timestamp with time zone
  progress_position bigint
  progress_at timestamp with time zone
  rejected bigint not null
  rejected_position bigint
  rejected_at timestamp with time zone
  rejected_partition text
  rejected_reason text
  rejected_run_id text collate "C"
  constraint asset_state_pkey PRIMARY KEY (workspace, asset, lane)
  constraint asset_state_progress_whole CHECK ((((progress_until IS NULL) = (progress_position IS NULL)) AND ((progress_until IS NULL) = (progress_at IS NULL))))
  constraint asset_state_rejected_whole CHECK ((((rejected = 0) = (rejected_position IS NULL)) AND ((rejected = 0) = (rejected_reason IS NULL))))
  constraint asset_state_update_whole CHECK ((((updates = 0) = (update_position IS NULL)) AND ((updates = 0) = (updated_at IS NULL))))

table asset_use
  workspace integer not null
  run_id text collate "C" not null
  generation integer not null
  node text collate "C" not null
  item text collate "C" not null
  direction text not null
  asset text collate "C" not null
  partition text collate "C" not null
  position bigint
  version text
  at timestamp with time zone not null
  constraint asset_use_direction_known CHECK ((direction = ANY (ARRAY['read'::text, 'write'::text])))
  constraint asset_use_pkey PRIMARY KEY (workspace, run_id, generation, node, item, direction, asset, partition)
  CREATE INDEX asset_use_by_age ON millrace.asset_use USING brin (at)

table attempt_history partition by RANGE (ended_at)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  attempt integer not null
  dispatch integer not null
  state attempt_state not null
  worker text
  error json
  started_at timestamp with time zone not null
  ended_at timestamp with time zone not null
  constraint attempt_history_pkey PRIMARY KEY (workspace, run_id, node, item, generation, dispatch, ended_at)

table bundle
  hash text collate "C" not null
  manifest json not null
  code text not null
  map text not null
  created_at timestamp with time zone not null
  constraint bundle_pkey PRIMARY KEY (hash)

table cached_output
  workspace integer not null
  key text collate "C" not null
  output json
  output_blob text
  output_bytes bigint
  recorded_at timestamp with time zone not null
  expires_at timestamp with time zone
  constraint cached_output_pkey PRIMARY KEY (workspace, key)
  CREATE INDEX cached_output_by_blob ON millrace.cached_output USING btree (output_blob) WHERE (output_blob IS NOT NULL)

table deployment
  workspace integer not null
  project text collate "C" not null
  number integer not null
  bundle text not null
  definition json not null
  active boolean not null
  created_at timestamp with time zone not null
  pipelines jsonb not null
  constraint deployment_bundle_fkey FOREIGN KEY (bundle) REFERENCES bundle(hash)
  constraint deployment_pkey PRIMARY KEY (workspace, project, number)
  CREATE UNIQUE INDEX deployment_one_active ON millrace.deployment USING btree (workspace, project) WHERE active

table event_identity
  workspace integer not null
  source text collate "C" not null
  id text collate "C" not null
  position bigint not null
  content_hash bigint not null
  recorded_at timestamp with time zone not null
  constraint event_identity_pkey PRIMARY KEY (workspace, source, id)
  CREATE INDEX event_identity_by_time ON millrace.event_identity USING brin (recorded_at)

table event_log partition by LIST (retention)
  workspace integer not null
  position bigint not null
  recorded_at timestamp with time zone not null
  retention smallint not null
  lane text not null
  source text collate "C" not null
  id text collate "C" not null
  type text collate "C" not null
  subject text collate "C"
  event_time timestamp with time zone
  attributes json
  data json
  data_blob text collate "C"
  data_bytes bigint
  invalid text
  constraint event_log_pkey PRIMARY KEY (workspace, "position", recorded_at, retention)
  CREATE INDEX event_log_by_blob ON ONLY millrace.event_log USING btree (data_blob) WHERE (data_blob IS NOT NULL)
  CREATE INDEX event_log_by_source ON ONLY millrace.event_log USING btree (workspace, source, "position") WHERE (source <> 'millrace'::text)
  CREATE INDEX event_log_by_subject ON ONLY millrace.event_log USING btree (workspace, subject, "position") WHERE (subject IS NOT NULL)
  CREATE INDEX event_log_by_type ON ONLY millrace.event_log USING btree (workspace, type, "position")
  CREATE INDEX event_log_invalid ON ONLY millrace.event_log USING btree (workspace, "position") WHERE (invalid IS NOT NULL)

table firing
  workspace integer not null
  pipeline text collate "C" not null
  version integer not null
  key text collate "C" not null
  occurrence bigint not null
  revision integer not null
  at timestamp with time zone not null
  position bigint not null
  run_id text collate "C"
  reason json
  value json
  value_blob text
  gate text
  into_run text collate "C"
  member_from integer
  member_count integer
  causes text
  constraint firing_at_gate_has_run CHECK (((gate IS NULL) OR (run_id IS NOT NULL)))
  constraint firing_gate_known CHECK ((gate = ANY (ARRAY['waiting'::text, 'started'::text])))
  constraint firing_has_run_or_reason CHECK (((run_id IS NOT NULL) OR (reason IS NOT NULL)))
  constraint firing_merged_has_no_run CHECK (((into_run IS NULL) OR (run_id IS NULL)))
  constraint firing_merged_whole CHECK ((((into_run IS NULL) = (member_from IS NULL)) AND ((into_run IS NULL) = (member_count IS NULL))))
  constraint firing_pkey PRIMARY KEY (workspace, pipeline, version, key, occurrence, revision)
  CREATE INDEX firing_at_gate ON millrace.firing USING btree (workspace, pipeline, gate, at, "position", key, occurrence, revision) WHERE (gate IS NOT NULL)
  CREATE INDEX firing_by_age ON millrace.firing USING brin (at)
  CREATE INDEX firing_by_blob ON millrace.firing USING btree (value_blob) WHERE (value_blob IS NOT NULL)
  CREATE INDEX firing_by_into ON millrace.firing USING btree (workspace, into_run, member_from) WHERE (into_run IS NOT NULL)
  CREATE INDEX firing_by_key ON millrace.firing USING btree (workspace, pipeline, key, at)
  CREATE INDEX firing_by_time ON millrace.firing USING btree (workspace, pipeline, at)
  CREATE UNIQUE INDEX firing_by_run ON millrace.firing USING btree (workspace, run_id)

table firing_member
  workspace integer not null
  run_id text collate "C" not null
  ordinal integer not null
  operand text not null
  position bigint
  from_at timestamp with time zone
  to_at timestamp with time zone
  is_silence boolean not null default false
  constraint firing_member_pkey PRIMARY KEY (workspace, run_id, ordinal)
  CREATE INDEX firing_member_by_position ON millrace.firing_member USING btree (workspace, "position") WHERE ("position" IS NOT NULL)

table idempotency_key
  workspace integer not null
  key text collate "C" not null
  run_id text not null
  created_at timestamp with time zone not null
  constraint idempotency_key_pkey PRIMARY KEY (workspace, key)
  CREATE INDEX idempotency_key_by_age ON millrace.idempotency_key USING btree (created_at)

table inbox
  id bigint generated as identity not null
  shard smallint not null
  message json not null
  constraint inbox_pkey PRIMARY KEY (id)
  CREATE INDEX inbox_by_shard ON millrace.inbox USING btree (shard, id)

table limit_grant
  workspace integer not null
  kind text not null
  name text collate "C" not null
  holder text collate "C" not null
  shard smallint not null
  run_id text collate "C" not null
  slots integer not null
  constraint limit_grant_pkey PRIMARY KEY (workspace, kind, name, holder)
  constraint limit_grant_slots_positive CHECK ((slots > 0))
  CREATE INDEX limit_grant_by_shard ON millrace.limit_grant USING btree (shard)

table limit_request
  workspace integer not null
  kind text not null
  name text collate "C" not null
  holder text collate "C" not null
  shard smallint not null
  reply_shard smallint not null
  run_id text collate "C" not null
  slots integer not null
  limit_slots integer not null
  rank double precision not null
  constraint limit_request_pkey PRIMARY KEY (workspace, kind, name, holder)
  CREATE INDEX limit_request_by_shard ON millrace.limit_request USING btree (shard)

table log_chunk partition by RANGE (created_at)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  attempt integer not null
  dispatch integer not null
  position integer not null
  lines json not null
  created_at timestamp with time zone not null
  constraint log_chunk_pkey PRIMARY KEY (workspace, run_id, node, item, generation, attempt, dispatch, "position", created_at)

table log_head with (fillfactor=50, autovacuum_vacuum_threshold=500, autovacuum_vacuum_scale_factor=0)
  workspace integer not null
  position bigint not null
  clock timestamp with time zone not null
  node_id bigint not null
  flush bigint not null
  change json
  constraint log_head_pkey PRIMARY KEY (workspace)

table log_mark
  workspace integer not null
  position bigint not null
  recorded_at timestamp with time zone not null
  constraint log_mark_pkey PRIMARY KEY (workspace, "position")
  CREATE INDEX log_mark_by_time ON millrace.log_mark USING btree (workspace, recorded_at)

table log_outbox
  id bigint generated as identity not null
  workspace integer not null
  type text not null
  subject text not null
  data json not null
  constraint log_outbox_pkey PRIMARY KEY (id)

table migration
  number integer not null
  name text not null
  hash text not null
  breaking boolean not null
  applied_at timestamp with time zone not null
  constraint migration_pk PRIMARY KEY (number)

table node with (fillfactor=50, autovacuum_vacuum_threshold=500, autovacuum_vacuum_scale_factor=0)
  id bigint generated as identity not null
  name text not null
  url text
  version text not null
  started_at timestamp with time zone not null
  lease_until timestamp with time zone not null
  fenced boolean not null default false
  last_flush bigint not null default 0
  row_form integer not null
  constraint node_pkey PRIMARY KEY (id)
  constraint node_row_form_known CHECK (((row_form >= 1) OR fenced))

table offer with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  dispatch integer not null
  queue text not null
  node_id bigint not null
  shard smallint not null
  constraint offer_pkey PRIMARY KEY (workspace, run_id, node, item)
  CREATE INDEX offer_by_queue ON millrace.offer USING btree (queue)

table pipeline
  workspace integer not null
  name text collate "C" not null
  project text not null
  bundle text not null
  deployment integer not null
  definition json not null
  retired boolean not null default false
  paused boolean not null
  paused_by_operator boolean not null default false
  summary json not null
  constraint pipeline_pkey PRIMARY KEY (workspace, name)

table probe
  workspace integer not null
  id text collate "C" not null
  shard smallint not null
  name text not null
  args json not null
  next_at timestamp with time zone
  looks bigint not null default 0
  changes bigint not null default 0
  fingerprint text
  value json
  changed_at timestamp with time zone
  seen_at timestamp with time zone
  looked_at timestamp with time zone
  failures integer not null default 0
  error json
  constraint probe_failing_says_why CHECK (((failures = 0) OR (error IS NOT NULL)))
  constraint probe_pkey PRIMARY KEY (workspace, id)
  CREATE INDEX probe_looking ON millrace.probe USING btree (shard) WHERE (next_at IS NOT NULL)

table run with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=2000)
  workspace integer not null
  id text collate "C" not null
  lane text not null default 'live'::text
  shard smallint not null
  pipeline text not null
  project text not null
  bundle text not null
  generation integer not null
  state text not null
  reason json
  depth smallint not null default 0
  parent json
  labels json
  params json
  params_blob text
  cancel json
  created_at timestamp with time zone not null
  started_at timestamp with time zone
  wake_at timestamp with time zone
  log_position bigint
  constraint run_pkey PRIMARY KEY (workspace, id)
  CREATE INDEX run_by_params_blob ON millrace.run USING btree (params_blob) WHERE (params_blob IS NOT NULL)
  CREATE INDEX run_by_pipeline ON millrace.run USING btree (workspace, pipeline, id)
  CREATE INDEX run_by_shard ON millrace.run USING btree (shard, state, id)
  CREATE INDEX run_by_wake ON millrace.run USING btree (shard, wake_at) WHERE (wake_at IS NOT NULL)
  CREATE TRIGGER run_sound BEFORE INSERT OR UPDATE ON millrace.run FOR EACH ROW EXECUTE FUNCTION check_run()

table run_history partition by RANGE (ended_at)
  workspace integer not null
  id text collate "C" not null
  lane text not null
  shard smallint not null
  pipeline text collate "C" not null
  project text not null
  bundle text not null
  generation integer not null
  state ended_run_state not null
  reason json
  depth smallint not null
  parent json
  labels json
  params json
  params_blob text
  output json
  output_blob text
  output_bytes bigint
  created_at timestamp with time zone not null
  started_at timestamp with time zone
  ended_at timestamp with time zone not null
  constraint run_history_pkey PRIMARY KEY (workspace, id, generation, ended_at)
  CREATE INDEX run_history_by_output_blob ON ONLY millrace.run_history USING btree (output_blob) WHERE (output_blob IS NOT NULL)
  CREATE INDEX run_history_by_params_blob ON ONLY millrace.run_history USING btree (params_blob) WHERE (params_blob IS NOT NULL)
  CREATE INDEX run_history_by_pipeline ON ONLY millrace.run_history USING btree (workspace, pipeline, id)
  CREATE INDEX run_history_by_state ON ONLY millrace.run_history USING btree (workspace, state, id, generation) WHERE ((state)::text <> 'succeeded'::text)

table shard with (fillfactor=50)
  shard smallint not null
  node_id bigint
  epoch bigint not null default 0
  log_position bigint not null default 0
  wait_position bigint not null default 0
  constraint shard_node_id_fkey FOREIGN KEY (node_id) REFERENCES node(id)
  constraint shard_pkey PRIMARY KEY (shard)
  constraint shard_range CHECK (((shard >= 0) AND (shard <= 63)))

table shared_limit
  workspace integer not null
  kind text not null
  name text collate "C" not null
  shard smallint not null
  slots integer not null
  set_by_operator boolean not null default false
  constraint shared_limit_kind_known CHECK ((kind = ANY (ARRAY['pool'::text, 'key'::text, 'pipeline'::text])))
  constraint shared_limit_pkey PRIMARY KEY (workspace, kind, name)
  constraint shared_limit_slots_bounded CHECK (((slots >= 0) AND (slots <= 1000000)))
  CREATE INDEX shared_limit_by_shard ON millrace.shared_limit USING btree (shard)

table source
  workspace integer not null
  name text collate "C" not null
  shard smallint not null
  place text not null
  events bigint not null
  last_event_at timestamp with time zone
  state text not null
  changed_at timestamp with time zone not null
  detail json
  error json
  paused boolean not null default false
  constraint source_failing_says_why CHECK (((state = 'failing'::text) = (error IS NOT NULL)))
  constraint source_pkey PRIMARY KEY (workspace, name)
  constraint source_state_known CHECK ((state = ANY (ARRAY['starting'::text, 'running'::text, 'failing'::text, 'paused'::text, 'stopped'::text])))

table source_memory
  workspace integer not null
  source text collate "C" not null
  key text collate "C" not null
  fingerprint text not null
  version bigint not null
  told_at timestamp with time zone not null
  constraint source_memory_pkey PRIMARY KEY (workspace, source, key)

table step with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=5000)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  kind text not null
  name text collate "C" not null
  occurrence integer not null
  seq integer not null
  attempt integer not null
  dispatch integer not null
  outcome json not null
  value_blob text
  recorded_at timestamp with time zone not null
  constraint step_pkey PRIMARY KEY (workspace, run_id, node, item, generation, kind, name, occurrence)
  CREATE INDEX step_by_age ON millrace.step USING brin (recorded_at)
  CREATE INDEX step_by_blob ON millrace.step USING btree (value_blob) WHERE (value_blob IS NOT NULL)

table task_code with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=2000)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  code json not null
  constraint task_code_pkey PRIMARY KEY (workspace, run_id, node, item)

table task_run with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=5000)
  workspace integer not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  state text not null
  attempt integer not null
  dispatch integer not null
  losses integer not null default 0
  worker text
  started_at timestamp with time zone
  ended_at timestamp with time zone
  resume_at timestamp with time zone
  output json
  output_blob text
  output_bytes bigint
  reason json
  error json
  child_run_id text
  revoked boolean not null default false
  carried boolean not null default false
  constraint task_run_pkey PRIMARY KEY (workspace, run_id, node, item)
  CREATE INDEX task_run_by_output_blob ON millrace.task_run USING btree (output_blob) WHERE (output_blob IS NOT NULL)
  CREATE TRIGGER task_run_sound BEFORE INSERT OR UPDATE ON millrace.task_run FOR EACH ROW EXECUTE FUNCTION check_task_run()

table task_run_history partition by RANGE (run_ended_at)
  workspace integer not null
  run_id text collate "C" not null
  generation integer not null
  node text collate "C" not null
  item text collate "C" not null
  state text not null
  attempt integer not null
  dispatch integer not null
  worker text
  started_at timestamp with time zone
  ended_at timestamp with time zone
  output json
  output_blob text
  output_bytes bigint
  reason json
  error json
  child_run_id text
  run_ended_at timestamp with time zone not null
  constraint task_run_history_pkey PRIMARY KEY (workspace, run_id, generation, node, item, run_ended_at)
  CREATE INDEX task_run_history_by_output_blob ON ONLY millrace.task_run_history USING btree (output_blob) WHERE (output_blob IS NOT NULL)

table trigger
  workspace integer not null
  pipeline text collate "C" not null
  shard smallint not null
  version integer not null
  definition json
  activated_position bigint not null
  activated_at timestamp with time zone not null
  paused_position bigint
  paused_at timestamp with time zone
  constraint trigger_paused_whole CHECK (((paused_position IS NULL) = (paused_at IS NULL)))
  constraint trigger_pkey PRIMARY KEY (workspace, pipeline)
  CREATE INDEX trigger_by_shard ON millrace.trigger USING btree (shard)

table trigger_key with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=2000)
  workspace integer not null
  pipeline text collate "C" not null
  key text collate "C" not null
  shard smallint not null
  state json not null
  firings bigint not null
  due_at timestamp with time zone
  touched_at timestamp with time zone not null
  constraint trigger_key_pkey PRIMARY KEY (workspace, pipeline, key)
  CREATE INDEX trigger_key_by_age ON millrace.trigger_key USING brin (touched_at)
  CREATE INDEX trigger_key_by_due ON millrace.trigger_key USING btree (shard, due_at) WHERE (due_at IS NOT NULL)

table wait with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=5000)
  id bigint not null
  workspace integer not null
  shard smallint not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  name text collate "C" not null
  occurrence integer not null
  condition text
  state text
  began_at timestamp with time zone not null
  told_to bigint not null
  timeout_at timestamp with time zone
  due_at timestamp with time zone
  match_keys bigint[]
  approval json
  outcome json
  joins_after bigint
  constraint wait_pkey PRIMARY KEY (id)
  CREATE INDEX wait_by_approval ON millrace.wait USING btree (workspace, began_at) WHERE (approval IS NOT NULL)
  CREATE INDEX wait_by_due ON millrace.wait USING btree (due_at, shard) WHERE (due_at IS NOT NULL)
  CREATE INDEX wait_by_end ON millrace.wait USING btree (shard) WHERE (outcome IS NOT NULL)
  CREATE INDEX wait_by_run ON millrace.wait USING btree (workspace, run_id)

table wait_match with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=5000)
  key bigint not null
  wait_id bigint not null
  shard smallint not null
  constraint wait_match_pkey PRIMARY KEY (key, wait_id)

table wait_member with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=5000)
  workspace integer not null
  position bigint not null
  run_id text collate "C" not null
  node text collate "C" not null
  item text collate "C" not null
  generation integer not null
  name text collate "C" not null
  occurrence integer not null
  ended_at timestamp with time zone not null
  constraint wait_member_pkey PRIMARY KEY (workspace, "position", run_id, node, item, generation, name, occurrence)
  CREATE INDEX wait_member_by_age ON millrace.wait_member USING brin (ended_at)

table wait_shape
  workspace integer not null
  type text collate "C" not null
  is_prefix boolean not null
  path text collate "C" not null
  shard smallint not null
  before_wait bigint
  constraint wait_shape_of_no_shard_is_old CHECK (((shard = '-1'::integer) = (before_wait IS NOT NULL)))
  constraint wait_shape_pkey PRIMARY KEY (workspace, type, is_prefix, path, shard)

table worker_connection
  id text not null
  node_id bigint not null
  detail json not null
  connected_at timestamp with time zone not null
  constraint worker_connection_node_id_fkey FOREIGN KEY (node_id) REFERENCES node(id) ON DELETE CASCADE
  constraint worker_connection_pkey PRIMARY KEY (id)

table workspace
  id integer not null
  name text not null
  constraint workspace_name_unique UNIQUE (name)
  constraint workspace_pkey PRIMARY KEY (id)

domain attempt_state CHECK ((VALUE = ANY (ARRAY['succeeded'::text, 'failed'::text, 'skipped'::text, 'cancelled'::text, 'lost'::text, 'suspended'::text])))
domain ended_run_state CHECK ((VALUE = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text, 'superseded'::text])))
function broken_rule(rule text) returns void body ce3103c348a01bcf26b4c008312f5dfc
function check_run() returns trigger body bd55b591a0f266da3d58e4846cb2b2e9
function check_task_run() returns trigger body 579106af719f65511e4ac5b3ae13a661
function event_content_hash(p_lane text, p_type text, p_subject text, p_time_ms double precision, p_attributes text, p_data text, p_blob text) returns bigint body d41d8cd98f00b204e9800998ecf8427e
function flush(p_node bigint, p_flush bigint, p_runs flush_run[], p_task_runs flush_task_run[], p_ended flush_run_end[], p_final flush_task_run[], p_more flush_run_end[], p_rest json) returns void body 0ee41f7774ceaa630f535608506ae933
function flush_asset_partitions(p_workspace integer, p_first bigint, p_at timestamp with time zone, p_others integer[], p_assets flush_asset[]) returns void body 981b5895b9bac3fa57921b500aed4e35
function flush_asset_states(p_workspace integer, p_first bigint, p_at timestamp with time zone, p_others integer[], p_assets flush_asset[]) returns void body d40f461db59dd9143d79e01098e288ef
function flush_asset_writes(p_workspace integer, p_first bigint, p_at timestamp with time zone, p_others integer[], p_assets flush_asset[]) returns void body c0c83ce4ceaa6bb335976f23b01ef2a0
function flush_assets(p_workspace integer, p_change json, p_assets flush_asset[]) returns void body a8453a5da8ab1aaa74c62b28f3af5feb
function flush_identities(p_workspace integer, p_events flush_event[], p_position bigint, p_at timestamp with time zone) returns integer body 48cb668271c29f10a24f22fb04aff94f
function flush_identity_positions(p_workspace integer, p_events flush_event[], p_position bigint, p_kept bigint[]) returns void body 68aca0def01a0078f9522edf7f6398c8
function flush_kept_events(p_workspace integer, p_events flush_event[], p_position bigint) returns bigint[] body 7437ec8b7d86b7db6dd01c91ae93861a
function flush_log_change(p_workspace integer, p_position bigint, p_at timestamp with time zone, p_node bigint, p_flush bigint, p_change json) returns void body 06b034f2d3c52d44189004b4d385b215
function flush_log_entries(p_workspace integer, p_events flush_event[], p_position bigint, p_at timestamp with time zone) returns void body 61d7f085c137930b0d0ab49003438510
function flush_log_head(p_workspace integer, p_at timestamp with time zone, p_node bigint, p_flush bigint) returns log_head body 16d8a3092f5226fc33f1049388066a64
function flush_log_mark(p_workspace integer, p_position bigint, p_at timestamp with time zone) returns void body aafddd1ead3adb97580b6eb99a7ec6c5
function flush_other_events(p_workspace integer, p_events flush_event[], p_position bigint, p_kept bigint[]) returns json body d7fc0693d9611f23b43bf72d10a7f698
function flush_position(p_first bigint, p_others integer[], p_at integer) returns bigint body d41d8cd98f00b204e9800998ecf8427e
function flush_rest(p_rest json) returns void body 93f66e65f749cb1fc9f44c4a76f0242d
function flush_with_assets(p_node bigint, p_flush bigint, p_runs flush_run[], p_task_runs flush_task_run[], p_ended flush_run_end[], p_final flush_task_run[], p_more flush_run_end[], p_rest json, p_workspace integer, p_clock_ms double precision, p_events flush_event[], p_assets flush_asset[]) returns json body c4af0fa899f095e9e4f06932ddeeae00
function flush_with_log(p_node bigint, p_flush bigint, p_runs flush_run[], p_task_runs flush_task_run[], p_ended flush_run_end[], p_final flush_task_run[], p_more flush_run_end[], p_rest json, p_workspace integer, p_clock_ms double precision, p_events flush_event[]) returns json body 3e52c28a3d5c949afabf27d62462bb44
function keep_partitions(p_table text, p_key text, p_now timestamp with time zone, p_days_ahead integer, p_retention_days integer, OUT made text[], OUT dropped text[]) returns record body 2ba8d95bea76c7d46ba68a426a906212
function make_partition(p_table text, p_key text, p_name text, p_day date) returns void body 11c5e8472038b80a2667528f322113ac
