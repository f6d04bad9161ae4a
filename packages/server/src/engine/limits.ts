/** Bounds of the engine, each with its reason. */

/**
 * Runs in memory and under way on one node, without those that wait for called runs; further ones stay queued rows. Each
 * costs some kilobytes.
 */
export const activeRunsMax = 2_000;
/** Queued runs that a node knows by name: about 100 bytes each. Beyond it new runs are refused. */
export const queuedRunsMax = 500_000;
/** Decisions that may wait for one flush before requests from outside are refused. */
export const backlogMax = 50_000;
/** A node's lease. Take-over after kill −9 follows within lease + margin + one check. */
export const nodeLeaseMs = 10_000;
export const nodeRenewMs = 3_000;
export const nodeMarginMs = 2_000;
/** A node that could not renew for this long by its own clock steps nothing more. */
export const nodeGiveUpMs = 8_000;
/** A worker that is away longer loses what it ran (W4). */
export const workerLeaseMs = 10_000;
export const workerHeartbeatMs = 3_000;
/** Between a cancel's signal and the hard kill. */
export const cancelGraceMs = 5_000;
/** The engine calls an attempt lost that its worker did not end this long after its timeout. */
export const timeoutSlackMs = 30_000;
/** Task runs that a node offers to others at once: what waits behind them is offered as these go. */
export const offersMax = 1_000;
/** Names of queued runs that are read at once when a shard is taken. */
export const queuedPageMax = 10_000;
/** Messages taken from the inbox at once. */
export const inboxPageMax = 500;
/** Values of JSON text kept per run so that several inputs need one load. */
export const blobsPerRunMax = 32;
