export * from "./api.ts";
export * from "./ids.ts";
export * from "./worker.ts";
export {
  loadServerFrameReader,
  loadWorkerFrameReader,
  serverMessageSchemas,
  workerMessageSchemas,
  type FrameReader,
} from "./worker-schema.ts";
