export * from "./api.ts";
export * from "./ids.ts";
export * from "./worker.ts";
export {
  readServerFrame,
  readWorkerFrame,
  serverMessageSchemas,
  workerMessageSchemas,
} from "./worker-schema.ts";
export {
  bundleUpload,
  cancelRequest,
  deployRequest,
  markRequest,
  poolRequest,
  rerunRequest,
  rollbackRequest,
  startRunRequest,
} from "./api-schema.ts";
export { type Shape } from "./shape.ts";
