export * from "./api.ts";
export * from "./ids.ts";
export * from "./worker.ts";
export {
  readServerFrame,
  readWorkerFrame,
  serverMessageSchemas,
  workerMessageSchemas,
} from "./worker-schema.ts";
