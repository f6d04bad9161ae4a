/** Bounds of the API, each with its reason. */

/** Ordinary requests: parameters beyond this belong into storage of the user's. */
export const bodyBytesMax = 1024 * 1024;
/** Bundles and blobs: 64 MB of content, and what JSON adds to it. */
export const largeBodyBytesMax = 80 * 1024 * 1024;
/** A worker's frame: some thousand results or log lines. */
export const frameBytesMax = 16 * 1024 * 1024;
/** A worker that does not take what is sent to it is cut at this many bytes. */
export const workerBufferBytesMax = 64 * 1024 * 1024;
/** Changes by operators that wait for each other at a server. */
export const changesWaitingMax = 500;
/** From the connection to `hello`. */
export const helloMs = 10_000;
/** Between the close of a worker's connection and its cut. */
export const closeMs = 1_000;
/** From the connection to the end of a request's headers, and to the end of its body: a bundle over a slow line. */
export const requestHeadersMs = 20_000;
export const requestMs = 300_000;
/** A connection over which nothing goes any more, not even what waits to be read: event streams say each 15 s that they live. */
export const connectionIdleMs = 120_000;
/** Connections at once: each takes some 20 kB. Those of pages and workers are few hundreds. */
export const connectionsMax = 5_000;
/** Characters of a part of an address: the longest names there are, each of their characters as `%` and two digits. */
export const addressPartMax = 4_000;
/** Nodes in a run's detail. */
export const detailNodesMax = 1_000;
/**
 * A grid reads as many task runs for one page, of one run, and of how many runs before it knows how many they have: 200,000 rows
 * take some 0.3 s.
 */
export const gridRowsMax = 200_000;
export const gridRunRowsMax = 20_000;
export const gridFirstRuns = 10;
/** Attempts that are shown of one page of nodes. */
export const attemptsMax = 5_000;
/** Differences between two versions of a pipeline that are told, and characters of a value in one. */
export const differencesMax = 500;
export const differenceCharactersMax = 2_000;
/** Files of a bundle that are listed, characters of one that are shown, and bundles whose files are kept at hand, up to some characters. */
export const sourceFilesMax = 1_000;
export const sourceCharactersMax = 500_000;
export const sourceBundlesKept = 4;
export const sourceKeptCharactersMax = 8_000_000;
/** Instants of schedules that a pipeline's page shows. */
export const nextTicksShown = 10;
/** Pipelines of which the newest runs are told at once, and such runs of each. */
export const recentPipelinesMax = 100;
export const recentRunsOfOne = 10;
/** Compiled parameter schemas that are kept. */
export const validatorsMax = 500;
/** Bytes of log lines that wait to be stored, over all attempts. */
export const logBufferBytesMax = 32 * 1024 * 1024;
/** Log chunks in one statement. */
export const logBatchMax = 500;
/** Attempts whose log position is remembered, to leave repeats out. */
export const logPositionsMax = 20_000;
/** Task runs whose last progress is remembered. */
export const progressMax = 20_000;
/** Bytes that wait for one slow reader of events before it is cut. */
export const eventBufferBytesMax = 4 * 1024 * 1024;
/** Of all readers of one server. */
export const eventBuffersBytesMax = 256 * 1024 * 1024;
/** A comment on a silent event stream, so that proxies keep it open. */
export const eventHeartbeatMs = 15_000;
/** How often a watched run that another server steps is looked at, while that says that it changes. */
export const eventLookMs = 250;
/** It is looked at this often although nobody says so: notifications may be lost. */
export const eventLookAnywayMs = 15_000;
/** How often its nodes are, unless that takes more than one part in `eventNodesShare` of the time: 10,000 rows take 0.2 s. */
export const eventNodesMs = 1_000;
export const eventNodesShare = 10;
/** Nodes of a run elsewhere that are told before the reader is waited for. */
export const nodesToldMax = 500;
/** A reader of a run's events hears of it this often at most, except of its end. */
export const eventGatherMs = 25;
/** Readers of lists of runs hear of changes this often at most, and of this many pipelines by name. */
export const activityGatherMs = 300;
export const activityNamesMax = 20;
/** What one reader may follow at once. */
export const topicsMax = 50;
/** A server says again which runs are watched at it, and is told of them this long after it said so last. */
export const watchRenewMs = 5_000;
export const watchLeaseMs = 15_000;
/** What is live here is told to other servers this often at most. */
export const liveGatherMs = 25;
/** Names of log chunks that wait to be told to others: beyond, they read all that is new. */
export const notesMax = 10_000;
/** Announced chunks that are read one by one: beyond, all that is new is read. */
export const chunksUnreadMax = 5_000;
/** Log chunks, of up to 64 kB each, that are read at once. */
export const chunksReadMax = 100;
/** The end of a run is told this long after it at most, when another server does not answer. */
export const settleMs = 1_000;
/** Event streams at once: each watches, and may poll, for one reader. */
export const eventStreamsMax = 500;
/** Longest name of a label, and longest text of one. */
export const labelBytesMax = 1_000;
export const labelsMax = 100;
export const idempotencyKeyBytesMax = 1_000;
/** A request with events: a batch of ordinary ones, or one with all the data that an event may have. */
export const eventsBytesMax = 8 * 1024 * 1024;
/** How often the engine that a reader of the event log listens to is looked at: after a lost lease it is another one. */
export const followCheckMs = 1_000;
/** Deliveries at webhooks at once, whose senders anybody may be: half a gigabyte of bodies at most. */
export const deliveriesMax = 500;
/** From a delivery's headers to the end of its body: senders wait for some ten seconds themselves. */
export const deliveryBodyMs = 30_000;
/** Members of one firing that are shown: a condition holds no more. */
export const firingMembersMax = 10_000;
/** Members of a firing in one page of them, and characters of their data as JSON: a task reads page after page. */
export const memberPageMax = 500;
export const memberPageBytesMax = 512 * 1024;
/** Firings at a gate that are shown: those that wait longest. */
export const gateShownMax = 10;
/** Members that are shown of each firing that a simulation or a preview makes, and such firings. */
export const simulatedMembersMax = 20;
export const previewFiringsMax = 100;
/** A simulation reads as many entries, for as long, and keeps as many of its newest firings and as many keys at most. */
export const simulatedEntriesMax = 500_000;
export const simulatedMs = 10_000;
export const simulatedFiringsMax = 10_000;
export const simulatedKeysMax = 100_000;
/** An explanation tells as many entries again, for as long. */
export const replayedEntriesMax = 100_000;
export const replayedMs = 3_000;
/**
 * A key's history tells as many entries of each type again, the newest, of all types together at most so many; and has as many
 * moments, each with its tree.
 */
export const historyEntriesMax = 20_000;
export const historyEntriesOfTypeMax = 10_000;
/** A search by a filter looks at as many entries, for as long, and then says how far it came; entries in one read. */
export const searchedEntriesMax = 20_000;
export const searchedMs = 1_000;
export const searchedPage = 500;
/** Entries that a histogram counts, its stretches, and the names that it tells apart. */
export const countedEventsMax = 20_000;
export const countedNames = 8;
/** Triggers that are held against one event: such as ask for its type. All are looked through, up to some. */
export const judgedTriggersMax = 30;
export const triggersLookedMax = 5_000;
/** What is followed of an event's causes and effects: steps, and entries of each firing and run. */
export const chainStepsMax = 5;
export const chainEntriesOfOne = 5;
export const chainPartsMax = 80;
/** Ticks of each schedule, and silences, before its end that a history tells again: some 10 µs each. */
export const historyTicksMax = 2_000;
/** Firings that are read to be held against the moments of a history. */
export const firingsReadMax = 1_000;
/** Pauses of a trigger that are looked up. */
export const pausesMax = 100;
/** The longest span of a calendar, and how long one page of it may take. */
export const scheduleSpanMs = 40 * 86_400_000;
export const ticksMs = 30;
/** Firings of one event that are shown. */
export const eventFiringsMax = 1_000;
/** Waits of one event that are shown. */
export const eventWaitsMax = 1_000;
/** Keys that are named where none was asked for. */
export const keysShownMax = 20;
/** Assets of which something was told, in one list: names that no project declares come from outside. */
export const assetsMax = 10_000;
/** Partitions of one asset that are looked at, the newest: 20,000 windows take 50 to 300 ms, in turns. */
export const assetKeysMax = 20_000;
/** The same in a list of assets: each has some 15 µs of work where its picture is not kept. */
export const assetListedKeysMax = 1_000;
/** Assets whose picture is kept. */
export const assetPicturesMax = 5_000;
/** How long such work goes on before others have their turn. */
export const stepsMsMax = 10;
/** Stretches of partitions that an asset's page lists. */
export const assetRangesMax = 500;
export const assetUpdatesShown = 20;
/** What one run wrote and read that is listed. */
export const assetUsesShown = 5_000;
/** Name of a person who answers. */
export const answerNameMax = 200;
/** A person's answer as JSON: what is kept with the run, and not as a blob. */
export const answerCharactersMax = 16_000;
/** How long an answer that another server records is waited for, and how often it is looked for. */
export const answerSettleMs = 5_000;
export const answerPollMs = 50;
/** Open waits that are shown of one task run. */
export const waitsShownMax = 100;
/** Waits of one run whose state is explained: each reads entries of the log. */
export const explainedWaitsMax = 20;
/** How long a run is tried to be moved, one try of it, how often it is looked at, and how many obstacles a message names. */
export const moveMs = 5_000;
export const moveTryMs = 1_000;
export const movePollMs = 10;
export const moveFaultsShownMax = 5;
/** Things of probes that are listed. */
export const probesListedMax = 1_000;
/** Hours back for which failed runs need a person, and days back for which the last failure is looked for. */
export const failedHours = 12;
export const failuresDays = 7;
/** Failures of those hours that are looked at. */
export const failuresLookedMax = 200;
/** Lines of one kind among what needs a person. */
export const attentionOfKindMax = 20;
/** Waits that are grouped, from each end, and groups that are shown. */
export const waitsSampledEach = 250;
export const waitGroupsMax = 12;
/** Stretches in which entries of the log are counted, and how many things of each kind are drawn. */
export const paceStretches = 60;
export const blocksRunningMax = 150;
export const blocksWaitingMax = 100;
export const blocksEndedMax = 500;
/** Of ended runs, in each stretch, where there are more. */
export const blocksOfStretch = 8;
export const eventTicksMax = 200;
/** Entries of the log among which events from outside are looked for. */
export const eventTicksLooked = 5_000;
export const calendarTriggersMax = 300;
export const calendarTicksMax = 400;
export const calendarTicksOfOneMax = 60;
/** Past positions of the log that are remembered: a day of minutes, for some stretches. */
export const positionsKeptMax = 5_000;
/** Task runs of one queue, and limits with those who hold them and wait for them, that are shown. */
export const queueTasksShown = 10;
export const limitsShownMax = 200;
export const limitUsesShown = 50;
/** In a list of limits, the first of them come with some of their holders. */
export const limitsWithHolders = 30;
export const limitHoldersShown = 4;
/** Answered approvals in one page: each is two looks into the log. */
export const answeredPageMax = 50;
/** Servers that are listed: those that ended stay for a day. */
export const nodesShownMax = 200;
/** The overview stands on every page: it is made for all who ask together, this long after the last one at the earliest. */
export const overviewPauseMs = 250;
/** Pipelines that it is made of, and types of events of which it is asked who tells them. */
export const lineagePipelinesMax = 10_000;
export const lineageTypesMax = 500;
/** Who told of a type is seen from so many of its last entries in so many days: an index leads to each of them. */
export const tellersLookedEach = 20;
export const tellersDays = 7;
/** Assets that somebody outside updated last and of which it is looked up who that was: those that were updated last. */
export const reportersMax = 200;
export const versionMembersShown = 3;
/** Entries of an asset that are looked through for those of one partition. */
export const versionsLookedMax = 1_000;
/** Pipelines in one page of what became of ticks, ticks of each, and runs whose durations are compared. */
export const tickOutcomesEach = 200;
export const durationsOfPipeline = 30;
/** Assets of a list whose partitions are looked at together: while the database answers for one, another's windows are counted. */
export const assetsAtOnce = 4;
/** Assets with a bound of age that are looked at for those that are late. */
export const freshAssetsMax = 1_000;
/** A run is late that runs longer than this, and than so many times the longest of the last ones, if there were so many. */
export const lateRunMs = 60_000;
export const lateShare = 2;
export const lateRunsLeast = 3;
/** Sources whose events are counted, events of one in a minute before the rest is estimated, and sources that are told. */
export const sourcesLookedMax = 30;
export const sourceCountedMax = 200;
export const sourcesShownMax = 20;
/** Items that a preview of a rerun names of one node; it counts all. */
export const affectedItemsShown = 20;
/** Log chunks, of up to 64 kB each, that are looked at by one statement: fewer where each is sent; and by one request, for as long. */
export const logChunksRead = 12;
export const logChunksScanned = 200;
export const logChunksLookedMax = 4_000;
export const logLookMs = 400;
/** Characters of a text that is looked for in a log. */
export const logFindMax = 500;
/** Members of a firing whose producers are told, entries that a run wrote, firings of each, and runs that it called. */
export const causeMembersShown = 40;
export const effectEventsShown = 100;
export const effectFiringsShown = 20;
export const effectCallsShown = 200;
/** Nodes of a run whose entries of the log are looked for: two looks into an index each. */
export const effectNodesMax = 2_000;
/** Entries of its pipeline around its end, among which its own news are found. */
export const effectNewsLooked = 200;
export const effectNewsMs = 60_000;
/** A task run's input that is shown, and outputs that are read to fill it again. */
export const inputBytesShown = 512 * 1024;
export const inputRowsMax = 2_000;
