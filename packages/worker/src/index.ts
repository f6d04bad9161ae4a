export { startWorker, type Worker } from "./worker.ts";
export { type WorkerOptions } from "./options.ts";
export { type WorkerEvent } from "./worker-event.ts";
