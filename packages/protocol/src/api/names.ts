/** Names that `/api/v1` and those who use it share. */

/** The label that names the node of a run that is to be debugged: `node`, or `node[item]`. */
export const inspectLabel = "millrace.inspect";
/** The label that names the partition of a run: the engine gives it, and a called pipeline's run takes it over. */
export const partitionLabel = "millrace.partition";

export const apiPrefix = "/api/v1";
