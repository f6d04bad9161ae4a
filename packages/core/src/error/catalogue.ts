/**
 * Every expected failure that leaves Millrace has a code from this table. A code is stable, documented in
 * `docs/reference/errors.md` (a repository test compares them) and never reused for something else.
 */
export type NextStep = "fix_input" | "fix_code" | "fix_setup" | "retry" | "stop";

export interface CatalogueEntry {
  /** One sentence: what it means. */
  readonly meaning: string;
  /** What the reader can do. */
  readonly advice: string;
  readonly next: NextStep;
  /** HTTP status when it leaves through the API. */
  readonly status: number;
}

function entry(status: number, next: NextStep, meaning: string, advice: string): CatalogueEntry {
  return { status, next, meaning, advice };
}

export const catalogue = {
  MILLRACE_PIPELINE_UNKNOWN: entry(
    404,
    "fix_input",
    "No active pipeline has this name.",
    "List the names with `millrace pipelines`.",
  ),
  MILLRACE_RUN_UNKNOWN: entry(404, "fix_input", "No run has this id.", "List runs with `millrace runs`."),
  MILLRACE_NODE_UNKNOWN: entry(
    404,
    "fix_input",
    "The run's pipeline has no such node or item.",
    "See the nodes with `millrace graph` or `millrace show`.",
  ),
  MILLRACE_PARAMS_INVALID: entry(
    422,
    "fix_input",
    "The run's parameters don't match the pipeline's schema.",
    "Correct the values at the paths that the message lists.",
  ),
  MILLRACE_SCHEDULE_INVALID: entry(
    422,
    "fix_code",
    "A schedule can't be read.",
    "Correct what the message names: the cron expression, the span, the dates or the options.",
  ),
  MILLRACE_SCHEDULE_NEVER: entry(
    422,
    "fix_code",
    "A schedule would never fire.",
    "Look for a date that does not exist, such as 30 February, or a calendar that excludes every day it names.",
  ),
  MILLRACE_PARTITIONS_INVALID: entry(
    422,
    "fix_code",
    "The partitions of an asset, or a mapping between partitions, can't be read.",
    "Correct what the message names: the windows, the keys, the dimensions, or what maps to what.",
  ),
  MILLRACE_PARTITION_UNKNOWN: entry(
    422,
    "fix_input",
    "No partition has this key.",
    "Write the key as the message shows it.",
  ),
  MILLRACE_PARTITION_REQUIRED: entry(
    422,
    "fix_input",
    "The pipeline's runs are for one partition each, and none was named.",
    "Name it: `millrace run NAME --partition KEY`.",
  ),
  MILLRACE_TIME_ZONE_UNKNOWN: entry(
    422,
    "fix_code",
    "No time zone has this name.",
    "Use a name of the time zone database, such as Europe/Berlin.",
  ),
  MILLRACE_REQUEST_INVALID: entry(
    400,
    "fix_input",
    "A request or an option has a wrong shape.",
    "Correct the field that the message names.",
  ),
  MILLRACE_RUN_STATE_CONFLICT: entry(
    409,
    "fix_input",
    "The run's state does not allow this action.",
    "Look at the run with `millrace show`, then choose an action that fits its state.",
  ),
  MILLRACE_RUN_QUARANTINED: entry(
    409,
    "stop",
    "The engine or its workers broke on this run, so it was set aside.",
    "Read the reason with `millrace show`, mend the cause, then rerun it.",
  ),
  MILLRACE_PIPELINE_PAUSED: entry(
    409,
    "fix_input",
    "The pipeline is paused.",
    "Resume it with `millrace pipelines resume NAME`, or pass `--force`.",
  ),
  MILLRACE_CALL_DEPTH: entry(
    422,
    "fix_code",
    "Pipelines call each other too deeply.",
    "Look for a pipeline that calls itself.",
  ),
  MILLRACE_UNAUTHORIZED: entry(
    401,
    "fix_setup",
    "The request has no valid token.",
    "Set MILLRACE_TOKEN to the server's token.",
  ),
  MILLRACE_FORBIDDEN_ORIGIN: entry(
    403,
    "fix_setup",
    "The request's Host or Origin is not the server's own.",
    "Use the loopback address, or start the server with `--public-url`.",
  ),
  MILLRACE_NOT_FOUND: entry(404, "fix_input", "There is nothing at this address.", "Check the path."),
  MILLRACE_OVERLOADED: entry(
    503,
    "retry",
    "The server takes no more work at this moment; nothing of the request was done.",
    "Try again after the time in Retry-After.",
  ),
  MILLRACE_EVENT_INVALID: entry(
    422,
    "fix_input",
    "This is not a valid event (CloudEvents 1.0); it was not recorded.",
    "Correct what stands at the path that the message names.",
  ),
  MILLRACE_EVENT_TOO_LARGE: entry(
    413,
    "fix_input",
    "An event, or a request with events, is larger than the log takes.",
    "Put the data into storage and its address into the event, or send fewer events at once.",
  ),
  MILLRACE_EVENT_CONFLICT: entry(
    409,
    "fix_input",
    "Another event with this source and id is in the log, with other content; this one was not recorded.",
    "Give each event an id of its own within its source.",
  ),
  MILLRACE_EVENT_UNKNOWN: entry(
    404,
    "fix_input",
    "The log has no such event, or no longer.",
    "List events with `millrace events`.",
  ),
  MILLRACE_EVENTS_OVERLOADED: entry(
    429,
    "retry",
    "Events come faster than they can be recorded; none of the request's were.",
    "Send them again after the time in Retry-After.",
  ),
  MILLRACE_ASSET_INVALID: entry(
    422,
    "fix_code",
    "An asset can't be read.",
    "Correct what the message names: the name, the partitions, the upstream assets or the freshness.",
  ),
  MILLRACE_ASSET_UNKNOWN: entry(
    404,
    "fix_input",
    "No deployed project has an asset of this name.",
    "List the names with `millrace assets`; export the asset from one of the project's files and deploy.",
  ),
  MILLRACE_WEBHOOK_INVALID: entry(
    422,
    "fix_code",
    "A webhook can't be read.",
    "Correct what the message names: the verification, the media types, the headers, the rate or the mapping.",
  ),
  MILLRACE_WEBHOOK_REFUSED: entry(
    401,
    "fix_setup",
    "No webhook of this name takes a delivery that is signed like this; it was not recorded.",
    "Compare the address and the secret at the sender with those of the webhook: `millrace hooks`.",
  ),
  MILLRACE_WEBHOOK_STALE: entry(
    401,
    "fix_input",
    "A delivery is signed rightly, but its time is too far from the server's; it was not recorded.",
    "Send it again with the time of now, and compare the clocks of both machines.",
  ),
  MILLRACE_WEBHOOK_CONTENT: entry(
    415,
    "fix_setup",
    "A webhook does not take bodies of this media type.",
    "Set the sender's content type to one of those, or name it in the webhook's `accepts`.",
  ),
  MILLRACE_WEBHOOK_UNREADY: entry(
    503,
    "fix_setup",
    "A webhook's secret is not set at this server, so that no delivery can be judged; this one was not recorded.",
    "Whoever runs the server finds what is missing with `millrace doctor`; send the delivery again then.",
  ),
  MILLRACE_INTERNAL: entry(
    500,
    "retry",
    "Millrace failed in a way that it did not expect.",
    "Report it with what the message says, and with the server's log when a server answered so.",
  ),
  MILLRACE_PROJECT_CONFLICT: entry(
    409,
    "fix_code",
    "A name belongs to another project.",
    "Rename it, or retire it in the other project first.",
  ),
  MILLRACE_POOL_UNKNOWN: entry(
    422,
    "fix_code",
    "A task names a pool that does not exist.",
    "Create it with `millrace pools set NAME SLOTS` or in the configuration.",
  ),
  MILLRACE_QUEUE_UNKNOWN: entry(
    422,
    "fix_code",
    "A task names a queue that is not declared.",
    "Declare it in the configuration's `queues`.",
  ),
  MILLRACE_BUNDLE_UNKNOWN: entry(
    404,
    "retry",
    "No bundle has this hash.",
    "Deploy again; the bundle is uploaded by its hash.",
  ),
  MILLRACE_BUNDLE_CORRUPT: entry(422, "retry", "A bundle's bytes don't match its hash.", "Deploy again."),
  MILLRACE_BUNDLE_FAILED: entry(
    422,
    "fix_code",
    "The project could not be bundled.",
    "Correct the file and line that the message names.",
  ),
  MILLRACE_LOAD_FAILED: entry(
    422,
    "fix_code",
    "A pipeline file could not be loaded.",
    "Correct the file and line that the message names.",
  ),
  MILLRACE_LOAD_TIMEOUT: entry(
    422,
    "fix_code",
    "Loading the pipeline files did not end in time.",
    "Remove work at import: pipeline files may only declare.",
  ),
  MILLRACE_GRAPH_CYCLE: entry(
    422,
    "fix_code",
    "Nodes of a pipeline wait for each other in a circle.",
    "Remove one of the references that the message lists.",
  ),
  MILLRACE_GRAPH_DUPLICATE_ID: entry(
    422,
    "fix_code",
    "Two nodes or pipelines have one id.",
    "Give one of them another `id`.",
  ),
  MILLRACE_GRAPH_FOREIGN_REFERENCE: entry(
    422,
    "fix_code",
    "A reference belongs to another pipeline, or to a region that does not enclose its use.",
    "Use references only inside the pipeline body that made them.",
  ),
  MILLRACE_GRAPH_INVALID: entry(
    422,
    "fix_code",
    "A pipeline's graph is not valid.",
    "Correct what the message names.",
  ),
  MILLRACE_REFERENCE_MISUSED: entry(
    422,
    "fix_code",
    "A reference was used as if it were a value.",
    "Pass the reference to a task; its value exists only when the run runs.",
  ),
  MILLRACE_OPTION_INVALID: entry(
    422,
    "fix_code",
    "An option in a definition has a wrong value.",
    "Correct the option that the message names.",
  ),
  MILLRACE_CONDITION_INVALID: entry(
    422,
    "fix_code",
    "A condition or trigger has a wrong shape, or its parts don't fit each other.",
    "Correct the part at the path or line that the message names.",
  ),
  MILLRACE_TRIGGER_UNKNOWN: entry(
    404,
    "fix_input",
    "This pipeline has no trigger.",
    "List those that have one with `millrace trigger list`.",
  ),
  MILLRACE_TRIGGER_KEY_UNKNOWN: entry(
    404,
    "fix_input",
    "The trigger holds no state for this key: nothing came of it, or it has fired.",
    "See some of its keys with `millrace trigger explain NAME`.",
  ),
  MILLRACE_FIRING_UNKNOWN: entry(
    404,
    "fix_input",
    "The trigger has no such firing, or no longer.",
    "List its firings with `millrace trigger firings NAME`.",
  ),
  MILLRACE_WHERE_INVALID: entry(
    422,
    "fix_code",
    "A filter on events has a wrong shape or is too large.",
    "Correct the part at the path that the message names.",
  ),
  MILLRACE_EXPRESSION_INVALID: entry(
    422,
    "fix_code",
    "A CEL expression is not valid, or does something that expressions here may not.",
    "Correct the expression at the line and column that the message names.",
  ),
  MILLRACE_CONFIG_INVALID: entry(
    422,
    "fix_setup",
    "The project's configuration is missing or wrong.",
    "Correct `millrace.config.ts`, or make one with `millrace init`.",
  ),
  MILLRACE_VALUE_NOT_JSON: entry(
    422,
    "fix_code",
    "A value can't be carried by JSON.",
    "Return plain objects, arrays, strings, finite numbers, booleans or null.",
  ),
  MILLRACE_OUTPUT_TOO_LARGE: entry(
    422,
    "fix_code",
    "A task returned more than the bound for outputs.",
    "Write large data to storage and return its address.",
  ),
  MILLRACE_STEP_NESTED: entry(
    422,
    "fix_code",
    "A step or a wait was begun inside a step.",
    "Take it out of the step's function: steps and waits stand beside each other in the task's function.",
  ),
  MILLRACE_STEP_OVER: entry(
    422,
    "fix_code",
    "Something was emitted from a step that has ended.",
    "Await in the step's function all that it begins.",
  ),
  MILLRACE_STEP_TOO_LARGE: entry(
    422,
    "fix_code",
    "A step gave more than the bound for what is recorded.",
    "Write large data to storage in the step, and return its address.",
  ),
  MILLRACE_STEPS_TOO_MANY: entry(
    422,
    "fix_code",
    "A task asked for more steps and waits than one task run may record.",
    "Do more in one step, or map a task over the list.",
  ),
  MILLRACE_REPLAY_DIVERGED: entry(
    422,
    "fix_code",
    "A task's function asked for something else than what it had recorded in this place.",
    "Make what the function asks for depend on its input and on what its steps gave, not on time, chance or outside data.",
  ),
  MILLRACE_FORM_INVALID: entry(
    422,
    "fix_input",
    "What was entered with an approval does not fit its form.",
    "Correct the values at the paths that the message lists.",
  ),
  MILLRACE_ATTEMPT_TIMEOUT: entry(
    422,
    "retry",
    "An attempt ran longer than its timeout.",
    "Raise `timeout`, or make the task faster.",
  ),
  MILLRACE_ATTEMPT_CRASHED: entry(
    422,
    "retry",
    "The process that ran the attempt ended before it answered.",
    "Read the attempt's log: look for process.exit, a native crash or lack of memory.",
  ),
  MILLRACE_ATTEMPT_OUT_OF_MEMORY: entry(
    422,
    "retry",
    "The attempt's process ran out of memory.",
    "Process less at once, or raise the worker's `--memory`.",
  ),
  MILLRACE_CHILD_FAILED: entry(
    503,
    "fix_setup",
    "The worker could not start a child process.",
    "Look for a limit on processes or memory on the worker's machine; the dispatch is repeated by itself.",
  ),
  MILLRACE_PACKAGE_MISSING: entry(
    503,
    "fix_setup",
    "The worker lacks a package that the bundle leaves outside.",
    "Install the packages that the message lists, in these versions, where the worker runs.",
  ),
  MILLRACE_WORKER_LOST: entry(
    503,
    "retry",
    "The worker that ran the attempt disappeared.",
    "The dispatch is repeated by itself.",
  ),
  MILLRACE_RUN_DEADLINE: entry(
    422,
    "stop",
    "The run did not end before its deadline.",
    "Raise `deadline`, or see what the run waited for.",
  ),
  MILLRACE_WAIT_TIMEOUT: entry(
    422,
    "stop",
    "What a wait waits for did not come in time.",
    "Raise its `timeout`, say with `onTimeout` what becomes of the node then, or see why it did not come.",
  ),
  MILLRACE_MAP_NOT_A_LIST: entry(
    422,
    "fix_code",
    "A task is mapped over something that is not a list.",
    "Return an array from the node that the map reads.",
  ),
  MILLRACE_MAP_TOO_LARGE: entry(
    422,
    "fix_code",
    "A fan-out has more items than a run may hold.",
    "Map over fewer, larger items, or call a pipeline per part.",
  ),
  MILLRACE_MAP_UNEQUAL: entry(
    422,
    "fix_code",
    "Lists that are zipped have different lengths.",
    "Zip lists of one length, or use `cross`.",
  ),
  MILLRACE_BRANCH_UNKNOWN_CHOICE: entry(
    422,
    "fix_code",
    "A branch answered something that is not among its choices.",
    "Return one of the declared choices, or a list of them.",
  ),
  MILLRACE_CONCURRENCY_KEY: entry(
    422,
    "fix_code",
    "A concurrency key did not resolve to a string or number.",
    "Point the key at a string in the task's input.",
  ),
  MILLRACE_INSPECT_REFUSED: entry(
    422,
    "fix_setup",
    "The worker lets nobody debug its tasks.",
    "Start it with `millrace worker --allow-inspect`, or debug on a machine of your own with `millrace run --inspect NODE`.",
  ),
  MILLRACE_CONNECTION_MISSING: entry(
    422,
    "fix_setup",
    "A connection is not defined, or the task does not list it.",
    "Set the connection's environment variable on the worker and name it in the task's `connections`.",
  ),
  MILLRACE_DATABASE_UNREACHABLE: entry(
    503,
    "retry",
    "The database does not answer.",
    "Check DATABASE_URL and that PostgreSQL runs; a server that runs tries again by itself.",
  ),
  MILLRACE_DATABASE_REFUSED: entry(
    500,
    "fix_setup",
    "The database server answers, but refuses the connection.",
    "Correct DATABASE_URL as the message says.",
  ),
  MILLRACE_DATABASE_TOO_OLD: entry(
    500,
    "fix_setup",
    "The PostgreSQL server is older than version 15.",
    "Use PostgreSQL 15 or later.",
  ),
  MILLRACE_SCHEMA_NEWER: entry(
    500,
    "fix_setup",
    "The database was migrated by a newer Millrace.",
    "Use that version of Millrace, or another database.",
  ),
  MILLRACE_SCHEMA_MISSING: entry(
    500,
    "fix_setup",
    "The database has no Millrace schema, or an older one.",
    "Run `millrace migrate`.",
  ),
  MILLRACE_MIGRATION_EDITED: entry(
    500,
    "fix_setup",
    "A migration that was applied differs from the one in this version.",
    "Use the version of Millrace that migrated the database.",
  ),
  MILLRACE_STATE_FOLDER: entry(
    500,
    "fix_setup",
    "The state folder can't be used.",
    "Make it writable, free space, or choose another with `--state`.",
  ),
  MILLRACE_STATE_IN_USE: entry(
    409,
    "fix_setup",
    "Another Millrace uses this state folder.",
    "Use that server, stop it, or choose another folder with `--state`.",
  ),
  MILLRACE_DATA_VERSION: entry(
    500,
    "fix_setup",
    "The state folder was made by another PostgreSQL version.",
    "Dump it with the version that made it, or move the folder away to start afresh.",
  ),
  MILLRACE_EMBEDDED_FAILED: entry(
    500,
    "fix_setup",
    "The embedded PostgreSQL did not start.",
    "Read the log that the message names, or set DATABASE_URL.",
  ),
  MILLRACE_BLOB_CORRUPT: entry(
    500,
    "stop",
    "A stored value's bytes don't match its hash.",
    "Check the disk or object store, and restore the blob from a backup.",
  ),
  MILLRACE_PORT_TAKEN: entry(
    500,
    "fix_setup",
    "Another program listens on the port.",
    "Choose another with `--port`, or stop that program.",
  ),
  MILLRACE_SERVER_UNREACHABLE: entry(
    503,
    "fix_setup",
    "No Millrace server answers at the address.",
    "Start one with `millrace dev` or `millrace server`, or set MILLRACE_URL.",
  ),
  MILLRACE_PROTOCOL_VERSION: entry(
    426,
    "fix_setup",
    "Worker and server speak different protocol versions.",
    "Bring both to the same version of Millrace.",
  ),
  MILLRACE_TASK_UNKNOWN: entry(
    404,
    "fix_code",
    "A test names a task that none of the testbed's pipelines has.",
    "Write the task's name, or give the task itself.",
  ),
  MILLRACE_TEST_CLOCK: entry(
    422,
    "fix_code",
    "A test gives its clock a time that it can't take.",
    'Give a later time than the clock\'s, or a span such as "1h".',
  ),
  MILLRACE_TEST_HANGS: entry(
    500,
    "fix_code",
    "A task's function did not return while a test waited for it, in real time.",
    'Let what it waits for happen, or replace its answer: `t.task("name").returns(…)`.',
  ),
  MILLRACE_TEST_UNFINISHED: entry(
    500,
    "fix_code",
    "A test wants all runs to have ended, and some have not.",
    "Move the clock to what they wait for, or look at `t.unfinished`.",
  ),
  MILLRACE_LEASE_LOST: entry(
    503,
    "retry",
    "The server lost its lease on the run's shard.",
    "Another server goes on with it; try again.",
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
