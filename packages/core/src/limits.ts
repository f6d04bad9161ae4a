/** Bounds of the pure core, each with its reason. */

/** Items of one fan-out: each costs about a kilobyte of memory while its run is under way. */
export const mapItemsMax = 100_000;
/** Nesting of pipeline calls: deeper is a pipeline that calls itself. */
export const callDepthMax = 16;
/** Consecutive dispatches that may die together with their worker before the run is set aside. */
export const lossesMax = 3;
/** Nodes in one pipeline: a graph is loaded, sent and drawn as one piece. */
export const nodesMax = 50_000;
/** Names listed in a reason or error text: more help nobody. */
export const namesShownMax = 5;
/** Parents listed in the reason of each node that can't run: these are stored by the thousand. */
export const decidersShownMax = 3;
