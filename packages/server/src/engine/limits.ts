/** Bounds of the engine, each with its reason. */

/**
 * Runs in memory and under way on one node, without those that wait for called runs; further ones stay queued rows. Each
 * costs some kilobytes.
 */
export const activeRunsMax = 2_000;
/** A run that only waits leaves memory this long after its last step, unless it is due as soon. */
export const evictAfterMs = 5_000;
/** Waiting runs that stay in memory for a while, as their waits may be short; with more than these they leave at once. */
export const waitingInMemoryMax = 1_000;
/** Runs that are read together when they come back into memory. */
export const recallMax = 500;
/** Runs that wait outside of memory and are due within this time are known by name, so many at most. */
export const wakeHorizonMs = 300_000;
export const wakesMax = 10_000;
/** How often those are looked at who hold limits for runs of other nodes: a run that is gone holds nothing. */
export const reapMs = 30_000;
/** Queued runs that a node knows by name: about 100 bytes each. Beyond it new runs are refused. */
export const queuedRunsMax = 500_000;
/** Decisions that may wait for one flush before requests from outside are refused. */
export const backlogMax = 50_000;
/**
 * A node's lease. After kill −9 its shards are taken over within lease + margin + one renewal (9 s), and what ran on its
 * workers is lost, unless they came back, one worker lease later: 17 s in all, for a promise of less than 20.
 */
export const nodeLeaseMs = 6_000;
export const nodeRenewMs = 2_000;
export const nodeMarginMs = 1_000;
/** A node that could not renew for this long by its own clock steps nothing more. */
export const nodeGiveUpMs = 5_000;
/** A server that has just joined holds no shard until others have given it some: so long a new run waits for that. */
export const firstShardMs = 10_000;
/** A worker that is away longer loses what it ran (W4). */
export const workerLeaseMs = 8_000;
export const workerHeartbeatMs = 2_500;
/** Between a cancel's signal and the hard kill. */
export const cancelGraceMs = 5_000;
/** The engine calls an attempt lost that its worker did not end this long after its timeout. */
export const timeoutSlackMs = 30_000;
/** Task runs that a node offers to others at once: what waits behind them is offered as these go. */
export const offersMax = 1_000;
/** A claim waits for its answer this long: two flushes and two readings of an inbox, of a database that takes its time. */
export const claimMsMax = 10_000;
/** Names of queued runs that are read at once when a shard is taken. */
export const queuedPageMax = 10_000;
/** Messages taken from the inbox at once. */
export const inboxPageMax = 500;
/** Events in one flush: what else waits for the flush waits for them, some 20 µs each. */
export const eventsPerFlush = 2_000;
/** Events, and their bytes, that may wait for a flush before further ones are refused. */
export const eventBacklogMax = 20_000;
export const eventBacklogBytesMax = 64 * 1024 * 1024;
/** Messages that may wait for the log's shard before other nodes refuse events. */
export const eventsPendingMax = 200;
/** Entries that are read at once for a listener which is behind. */
export const logPageMax = 1_000;
/** States of triggers' keys that one claim of shards keeps in memory: some hundred bytes each. */
export const triggerKeysMax = 100_000;
/** Keys that go on where their trigger changes: all of them are in memory for one page, and in one flush. */
export const inheritedKeysMax = 100_000;
/** Keys whose deadlines come within this time are known by name, so many at most. */
export const dueHorizonMs = 300_000;
export const dueKeysMax = 10_000;
/** How far the stored position of a shard's triggers stays behind: what is read again after a crash. */
export const cursorEntriesMax = 1_000;
export const cursorMs = 30_000;
/** How often a firing looks whether there is room for its run. */
export const firingRoomMs = 50;
/** Firings that wait for a slot and are read at once, the longest first: as many as can start in one page. */
export const gateOldestMax = 10_000;
/** Rows of the outbox that go into the log at once. */
export const outboxPageMax = 500;
/** After a failure the rows of triggers are read again this much later. */
export const readAnewMs = 250;
/** Without any server for longer than this, schedules catch up as they say; a shorter time is a restart. */
export const outageMsMin = 10_000;
/** How long a reader of triggers waits for them to take what is in the log. */
export const settleMs = 5_000;
/** A wait that asks for one of more values than these is found by its type. */
export const waitValuesMax = 100;
/** Waits that are read, told and committed at once: what an event for everybody wakes in parts. */
export const waitPageMax = 5_000;
/** Entries that stay in memory for waits which begin soon after them; more of the past is read from the log. */
export const recentEntriesMax = 2_000;
/** Entries of the past that are read for a wait at once. */
export const lookBackPageMax = 1_000;
/**
 * In which time all shapes of waits are looked at, and are forgotten that nothing has any more: a server with few of them asks once
 * a minute.
 */
export const shapeSweepMs = 60_000;
/** Shapes that are looked at together, each by a look into an index: 20 ms on a loaded machine, with 300,000 keys. */
export const shapesSweptMax = 1_000;
/** Where there are very many, so often some of them: ten thousand a second. */
export const shapeSweepMsMin = 100;
/** Deadlines of waits that come closer to each other than this are told together. */
export const waitDueMs = 20;
/** How long who waits for another node's log waits first; then twice as long each time. */
export const settleStepMs = 10;

/** Partitions of one asset that an attempt reads, one by one: beyond, the asset as a whole is recorded. */
export const readPartitionsMax = 400;
/** What a source finds is recorded so many at a time: a flush with them takes some 10 ms. */
export const sourceFindingsMax = 500;
/** How often a source looks whether the log has room again. */
export const sourceRoomMs = 50;
/** A reader that failed is called again after the first of these, and after twice as long each time. */
export const sourceRetryMsMin = 250;
export const sourceRetryMsMax = 5_000;
/** How a source does is written at most this often, where nothing else of it is. */
export const sourceDetailMs = 1_000;
/** A reader that does not end within this time hangs in its system: nothing it finds is taken any more. */
export const sourceStopMs = 3_000;
/** What a worker takes at most to tell what a function asks for on its records. */
export const rehearsalMs = 30_000;
/** Beside a look's own timeout: the way to the worker, and until a process is free there. */
export const lookMarginMs = 10_000;
/** A look waits so long for a slot; then it is asked whether anybody still waits for it. */
export const lookWaitMs = 5_000;
/** As above, of one that has waited in vain before. */
export const lookWaitLongMs = 30_000;
/** Where a look was lost, or the database does not answer, a probe's turn comes again after this. */
export const lookRetryMs = 500;
/** Waits of one thing that are read at a time. */
export const probeWaitsPageMax = 1_000;
