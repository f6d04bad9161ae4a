/** Queues as people look at them: who takes from them, what waits, and why that does not start. */
import type { QueueView, WorkerView } from "@millrace/protocol";
import { countOffers } from "@millrace/store";
import type { ApiContext } from "../api-context.ts";
import { queueTasksShown } from "../limits.ts";
import { workerReason } from "../wait-reason.ts";
import { counted } from "./counted.ts";

/** What waits here is in memory; what waits at other servers is what they offer. */
export async function queuesOf(
  { database, host }: ApiContext,
  workers: readonly WorkerView[],
): Promise<QueueView[]> {
  const { running } = host;
  const offers = await countOffers(database, running?.info.nodeId ?? 0);
  const waiting = new Map(running?.queues.queued());
  for (const { queue, count } of offers) waiting.set(queue, (waiting.get(queue) ?? 0) + count);
  for (const { queues } of workers)
    for (const queue of queues) if (!waiting.has(queue)) waiting.set(queue, 0);
  return [...waiting]
    .map(([name, count]): QueueView => {
      const serving = workers.filter(({ draining, queues }) => !draining && queues.includes(name));
      const reason = count > 0 ? workerReason({ queue: name }, workers) : undefined;
      return {
        name,
        workers: serving.length,
        slots: sum(serving, ({ slots }) => slots),
        busy: sum(serving, ({ busy }) => busy),
        waiting: counted(count),
        ...(reason ? { reason } : {}),
        tasks: tasksIn(host, name),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function tasksIn({ running }: ApiContext["host"], queue: string): QueueView["tasks"] {
  const tasks: QueueView["tasks"][number][] = [];
  for (const { entry, taskRun, pipeline } of running?.queues.waitingIn(queue) ?? []) {
    if (tasks.length >= queueTasksShown) break;
    tasks.push({
      run: entry.identity.id,
      pipeline,
      node: taskRun.node.definition.id,
      item: taskRun.item,
    });
  }
  return tasks;
}

function sum(workers: readonly WorkerView[], of: (worker: WorkerView) => number): number {
  return workers.reduce((total, worker) => total + of(worker), 0);
}
