/** Bounds of the pure core, each with its reason. */

/** Items of one fan-out: each costs about a kilobyte of memory while its run is under way. */
export const mapItemsMax = 100_000;
/** Nesting of pipeline calls: deeper is a pipeline that calls itself. */
export const callDepthMax = 16;
/** Consecutive dispatches that may die together with their worker before the run is set aside. */
export const lossesMax = 3;
/** Nesting of a JSON value: PostgreSQL and every walk over a value have a stack. */
export const jsonDepthMax = 1_000;
/** Nodes in one pipeline: a graph is loaded, sent and drawn as one piece. */
export const nodesMax = 50_000;
/** Names listed in a reason or error text: more help nobody. */
export const namesShownMax = 5;
/** Parents listed in the reason of each node that can't run: these are stored by the thousand. */
export const decidersShownMax = 3;

/** Parts of one `where`, nodes and leaves: a filter is evaluated for each event of its type. */
export const wherePartsMax = 500;
/** Nesting of `and`, `or` and `not`: deeper is generated, and can be written flat. */
export const whereDepthMax = 20;
/** Steps of a path into an event. */
export const wherePathStepsMax = 32;
/** Characters of one step of a path. */
export const wherePathStepCharactersMax = 256;
/** Characters of a text in a `where`: longer ones belong into data, and index keys are made of them. */
export const whereTextCharactersMax = 4_096;
/** Values of one `in`. */
export const whereValuesMax = 1_000;
/** Characters of a pattern or glob: the time to match grows with it. */
export const patternCharactersMax = 500;
/** Instructions of a compiled pattern: `(a{99}){99}` is short text and a large program. */
export const patternProgramMax = 2_000;
/** Characters of a CEL expression: longer ones are programs and belong into a task. */
export const expressionCharactersMax = 8_000;
/** Nodes of a CEL expression's tree. */
export const expressionNodesMax = 500;
/** Nesting of a CEL expression. */
export const expressionDepthMax = 40;
/** Elements of a list written in a CEL expression. */
export const expressionListMax = 200;
/** Steps that one evaluation may cost when it walks an event within a walk of it: about a tenth of a second. */
export const expressionStepsMax = 20_000_000;
/** JSON values in what a mapping gives: it becomes attributes of an event, not a copy of the body many times over. */
export const mappingValuesMax = 100_000;

/** Characters of a key's value: an index over it holds some 2,600 bytes. An event with a longer one belongs to no key. */
export const keyCharactersMax = 500;
/** Members that an operand keeps until its condition fires: each is some 40 bytes of its state's row. */
export const gatheredMax = 10_000;
/** Members of firings that are merged into one: beyond it the next one waits for itself. They are read as a stream. */
export const mergedMembersMax = 100_000;
/** Members, and bytes of their data, that a firing's value holds as lists: beyond them tasks read them as a stream. */
export const listedMembersMax = 10_000;
export const listedBytesMax = 16 * 1024 * 1024;
/** How often a trigger may stand in the causes of one of its runs: more rounds are a loop, whatever it says. */
export const loopLimitMax = 100_000;
/** Triggers that may follow from each other: a deeper chain is a loop of very many. */
export const causesDepthMax = 1_000;
/** Open waits of one `absent`: one for each match of `after` that nothing has answered. */
export const armsMax = 1_000;
/** Windows that one key has open at once, and closed ones whose revisions it knows. */
export const openWindowsMax = 1_000;
export const revisedWindowsMax = 1_000;
/** Stretches of time in which windows have fired that are closed: as many gaps as somebody may fill later. */
export const closedStretchesMax = 500;
/** How far an event's own time may be ahead of its recording and still close windows: a clock that is a day off is wrong. */
export const aheadMsMax = 86_400_000;
/** Keys of a `.by` below a condition's root, which live in one state. */
export const innerKeysMax = 1_000;
/** Members that an explanation shows of each operand. */
export const explainedMembersMax = 5;
/** How far an asset's progress may be ahead of the clock, unless it says; and what it may say: plans for ten years. */
export const progressAheadMsDefault = 86_400_000;
export const progressAheadMsMax = 3_660 * 86_400_000;
/** Operators in one condition, and how deep they may nest: a condition is evaluated in one turn. */
export const conditionSizeMax = 200;
export const conditionDepthMax = 20;
/** The shortest step of a schedule: below it, a loop in a task serves better than a run each. */
export const scheduleStepMsMin = 1_000;
/** The longest steps of a schedule, ten years in each unit: what waits longer is forgotten first. */
export const everyUnitsMax = {
  seconds: 86_400,
  minutes: 1_440,
  hours: 24,
  days: 3_660,
  weeks: 522,
  months: 120,
  years: 10,
} as const;
/** Instants in one `at` list, and ranges in one list of a calendar: they are stored and sent with the schedule. */
export const scheduleInstantsMax = 10_000;
export const calendarRangesMax = 2_000;
/** Jitter spreads load within a day; a longer delay is another time. */
export const jitterMsMax = 86_400_000;
/**
 * Texts of an event, in characters: source, id and subject are in indexes, whose rows hold 2,700 bytes, at up to three
 * bytes a character.
 */
export const eventSourceMax = 512;
export const eventIdMax = 256;
export const eventTypeMax = 255;
export const eventSubjectMax = 512;
/**
 * A key of a condition that nothing touched for so long, by log time, begins anew, unless time alone will touch it: of unbounded keys
 * only those of this span have states. As long as history is kept by default.
 */
export const keyIdleMs = 30 * 86_400_000;
/** Extension attributes of one event, and characters of a name and of a text value. */
export const eventExtensionsMax = 32;
export const eventExtensionNameMax = 64;
export const eventTextMax = 2_048;
/** JSON text of an event's data, in characters. What is larger belongs into storage, and its address into the event. */
export const eventDataMax = 1024 * 1024;
/** Events that one attempt emits with its success, and characters of their data: they travel with its result. */
export const emittedEventsMax = 100;
export const emittedDataMax = 16_384;
/** A type that a task emits is a part of the event's id. */
export const emittedTypeMax = 150;
/** Event types that one project declares, and characters of a schema as JSON: all are in the memory of each server. */
export const eventTypesMax = 2_000;
export const eventSchemaMax = 100_000;
/** Events in one batch. */
export const eventBatchMax = 1_000;
/** Secrets of one webhook: the one in use, and those before it. */
export const webhookSecretsMax = 8;
/** Media types in a webhook's list. */
export const webhookTextMax = 32;
/** How old a signed delivery may be at most: who repeats an older one has had a day to think of it. */
export const webhookToleranceMsMax = 86_400_000;
/** Deliveries in a second at one webhook: what comes faster sends batches to `POST /events`. */
export const webhookRateMax = 10_000;

/** Keys of static partitions: they stand in the definition, which is sent and stored as one piece. */
export const staticPartitionsMax = 10_000;
/** Characters of a partition's key: it is a part of indexes and of events' ids. */
export const partitionKeyMax = 200;
/** Dimensions of a tuple: more multiply to partitions that nobody can look at. */
export const partitionDimensionsMax = 4;
/** Partitions that one partition may be made of: a day of 15-minute windows in 100 regions. All are told off when one comes. */
export const partitionWindowsMax = 10_000;
/** Stretches that the record of written windows knows: nobody looks at 1,000 holes in an asset one by one. */
export const coverageStretchesMax = 1_000;
/** Windows that one entry of the log fires; the rest follow a millisecond of log time later. */
export const windowsPerStepMax = 1_000;
/** Revisions of one window that a trigger may allow: what changes more often is not finished when it fires. */
export const revisionsMax = 100;
/** Characters of an asset's name: it is a subject, and a part of keys. */
export const assetNameMax = 200;
/** Characters of the key of an asset's partition, whatever its partitions are: a tuple's is made of several. */
export const assetKeyMax = 300;
/** Characters of the version of an asset's content. */
export const assetVersionMax = 200;
/** JSON text of the metadata of one update, in characters: it rests in the row of its partition. */
export const assetMetadataMax = 8_192;
/** Assets that a task writes, or reads. */
export const assetUsesMax = 100;
/** Characters of a file source's glob, globs that it ignores, and stars between two slashes: 255³ steps match any name. */
export const fileGlobMax = 500;
export const fileGlobsMax = 100;
export const fileGlobStarsMax = 3;
/** A file that must rest for longer than a day is waited for otherwise. */
export const fileQuietMsMax = 86_400_000;
/** How often a folder may be looked through, and must be. */
export const fileRescanMsMin = 1_000;
export const fileRescanMsMax = 86_400_000;
/** A thing is looked at no more often, and no more rarely. */
export const probeEveryMsMin = 50;
export const probeMsMax = 7 * 86_400_000;
export const probeFactorMax = 100;
/** Variables and connections of a probe. */
export const probeNamesMax = 100;
/** Arguments of a probe, as JSON. */
export const probeArgsCharactersMax = 4_000;
/** Ticks that passed while no server was up, or in a pause, and are run one by one: the newest of them. */
export const missedTicksMax = 10_000;
/** An approval's id: the ids of its events, made of it, have 256 characters at most. */
export const approvalIdMax = 220;
/** JSON text of what a person is shown, in characters: it stands in the wait's row and in the log. */
export const approvalDetailsMax = 16_384;
/** JSON text of a form's schema in the event that asks. */
export const approvalFormTextMax = 8_192;
