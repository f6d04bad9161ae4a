/** Why tasks and runs do not start, a sentence each. */
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import type { LimitView, QueueView } from "@millrace/protocol";
import { CopyText } from "../../parts/copy-text.tsx";
import { useLineKeys } from "../../parts/keys.ts";
import { countOf } from "../../parts/number-text.ts";
import { UseLink, useKey } from "./limit-use.tsx";
import { PoolSlots } from "./pool-slots.tsx";

interface NotStartingProps {
  readonly queues: readonly QueueView[];
  readonly limits: readonly LimitView[];
}

export function NotStarting({ queues, limits }: NotStartingProps) {
  // What no worker takes needs a person; what waits for a busy one only time.
  const held = queues
    .filter(({ waiting, reason }) => waiting.count > 0 && reason !== undefined)
    .sort((a, b) => Number(isForgotten(b)) - Number(isForgotten(a)));
  const list = useRef<HTMLUListElement>(null);
  useLineKeys(list);
  if (held.length + limits.length === 0) return null;
  return (
    <section className="block">
      <h2>What does not start, and why</h2>
      <ul ref={list} className="attention">
        {held.map((queue) => (
          <li key={queue.name} tabIndex={-1} data-keys="" className={isForgotten(queue) ? "bad" : "calm"}>
            <span className="mark" aria-hidden="true">
              {isForgotten(queue) ? "✕" : "○"}
            </span>
            <QueueWords queue={queue} />
          </li>
        ))}
        {limits.map((limit) => (
          <li key={limitKey(limit)} tabIndex={-1} data-keys="" className="calm">
            <span className="mark" aria-hidden="true">
              ○
            </span>
            <div className="words">
              <p>
                <LimitWords limit={limit} />
                <Holders limit={limit} />
              </p>
            </div>
            {limit.kind === "pool" && (
              <div className="actions">
                <PoolSlots pool={limit} name="Raise the limit…" />
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function isForgotten({ reason }: QueueView): boolean {
  return reason?.code === "no_worker";
}

export function limitKey({ kind, name }: Pick<LimitView, "kind" | "name">): string {
  return `${kind}:${name}`;
}

function QueueWords({ queue }: { readonly queue: QueueView }) {
  const { name, waiting, tasks, slots } = queue;
  return (
    <div className="words">
      <p>
        {countOf(waiting, "task waits", "tasks wait")} in the queue <strong>{name}</strong>:{" "}
        {isForgotten(queue)
          ? "no worker takes from it."
          : `all ${countOf(slots, "slot")} of its workers are busy.`}
      </p>
      {isForgotten(queue) && (
        <p className="detail">
          Start one: <CopyText text={`npx millrace worker --queues ${name}`} />
        </p>
      )}
      {tasks.length > 0 && (
        <p className="detail">
          {alike(tasks).map(([name, [first, ...others]], index) => (
            <span key={name}>
              {index > 0 && ", "}
              <TaskLink task={first!}>{name}</TaskLink>
              {others.length > 0 && ` and ${countOf(others.length, "like it", "like it")}`}
            </span>
          ))}
          {waiting.count > tasks.length && ", …"}
        </p>
      )}
    </div>
  );
}

type QueuedTask = QueueView["tasks"][number];

/** By what they are called. */
function alike(
  tasks: readonly QueuedTask[],
): readonly (readonly [name: string, tasks: readonly QueuedTask[]])[] {
  const groups = new Map<string, QueuedTask[]>();
  for (const task of tasks) {
    const name = `${task.pipeline} ${task.node}`;
    const known = groups.get(name);
    if (known) known.push(task);
    else groups.set(name, [task]);
  }
  return [...groups];
}

function TaskLink({ task, children }: { readonly task: QueuedTask; readonly children: string }) {
  const { run, node, item } = task;
  return (
    <Link to="/runs/$run" params={{ run }} search={item === "" ? { node } : { node, item }}>
      {children}
    </Link>
  );
}

/** `, by orders load, orders load and 2 others.` */
function Holders({ limit }: { readonly limit: LimitView }) {
  const { holders = [], used } = limit;
  if (holders.length === 0) return ".";
  const told = holders.reduce((slots, use) => slots + use.slots, 0);
  return (
    <>
      {" by "}
      {holders.map((use, index) => (
        <span key={useKey(use)}>
          {index > 0 && ", "}
          <UseLink use={use} />
        </span>
      ))}
      {told < used && (
        <>
          {" and "}
          <Link to="/workers" search={{ limit: limitKey(limit) }}>
            others
          </Link>
        </>
      )}
      .
    </>
  );
}

function LimitWords({ limit }: { readonly limit: LimitView }) {
  const { kind, name, slots, used, waiting } = limit;
  const link = (text: string) => (
    <Link to="/workers" search={{ limit: limitKey(limit) }}>
      {text}
    </Link>
  );
  switch (kind) {
    case "pool":
      return (
        <>
          {countOf(waiting, "task waits", "tasks wait")} for the pool {link(name)}: {used} of{" "}
          {countOf(slots, "slot")} used
        </>
      );
    case "key":
      return (
        <>
          {countOf(waiting, "task run waits", "task runs wait")} for the concurrency key {link(name)}: at most{" "}
          {slots} at once, {used} used
        </>
      );
    default:
      return (
        <>
          {countOf(waiting, "run")} of {link(name)} {waiting.count === 1 ? "waits" : "wait"}: at most{" "}
          {countOf(slots, "run")} at once (<code>maxActiveRuns</code>), {used} used
        </>
      );
  }
}
