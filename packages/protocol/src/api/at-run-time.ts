/** What is there at run time of the API's operations: for the server, and for tests. Others take types alone, which cost nothing. */
export { fieldsOf, pageSize, pageSizeMax } from "./operation.ts";
export { operations } from "./operations.ts";
export { timelineHours } from "./overview.ts";
export { problem } from "./parts.ts";
export { versionsMax } from "./pipeline.ts";
export { searchKinds, searchTextMax } from "./search.ts";
