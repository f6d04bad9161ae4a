/** What the loader and the worker need and authors don't. */
export { definitionBrand } from "./definition.ts";
export { loadProject, type LoadedProject, type LoadOptions } from "./load.ts";
export { nextRequestOf, type NextRequest } from "./task-error.ts";
export { type ParamsIssue, type ParamsResult } from "./schema.ts";
export { taskNameBrand } from "./task.ts";
export { type TaskFunction } from "./build.ts";
export { toEventKey, toWhere, type WherePlace } from "./where.ts";
export { assetNameOf } from "./asset/handle.ts";
