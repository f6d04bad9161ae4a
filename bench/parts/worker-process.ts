/** A real worker in a process of its own; it forks its warm children. */
import { startWorker, type Worker, type WorkerOptions } from "@millrace/worker";
import { answerParent } from "./child.ts";

let worker: Worker | undefined;

answerParent(
  async (question) => {
    if (question.kind !== "start") throw new Error(`unknown question ${question.kind}`);
    worker = await startWorker(question["options"] as WorkerOptions);
    await worker.connected;
    return worker.id;
  },
  async () => worker?.stop(),
);
