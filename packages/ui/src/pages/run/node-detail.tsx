/** One node of a run: its state in a sentence, its error, its last log lines, its attempts, what it waits for, its output. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Json } from "@millrace/core";
import type { LogLinesView, Page, TaskRunView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { useNow } from "../../parts/now.ts";
import { State } from "../../parts/state.tsx";
import { Clock, Took } from "../../parts/time.tsx";
import { LogLine } from "./log-lines.tsx";
import { TaskRunActions } from "./run-actions.tsx";
import { nodeName, waitText } from "./sentence.ts";
import { linesPath } from "./use-log.ts";
import { logKey, type LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");
const linesShown = 12;
const itemsShown = 200;

interface NodeDetailProps {
  readonly live: LiveRun;
  readonly node: string;
  readonly item: string | undefined;
}

export function NodeDetail({ live, node, item }: NodeDetailProps) {
  const { run, picture } = live;
  const found = picture.node(node);
  const items = useQuery({
    ...one<Page<TaskRunView>>("run", `/runs/${encodeURIComponent(run.id)}/nodes`, {
      node,
      limit: itemsShown,
    }),
    enabled: found?.items !== undefined,
  });
  const taskRun = item === undefined ? found?.taskRun : items.data?.items.find((one) => one.item === item);
  return (
    <aside aria-label={node}>
      <div className="head">
        <h2 className="words">
          {found ? <State state={taskRun?.state ?? found.state} isBare /> : null}{" "}
          {taskRun ? nodeName(taskRun) : node}
        </h2>
        <Link
          to="/runs/$run"
          params={{ run: run.id }}
          search={({ node: _node, item: _item, ...rest }) => rest}
          aria-label="Close"
        >
          ✕
        </Link>
      </div>
      {!found && <p className="note warn">This run has no node of that name.</p>}
      {taskRun && <TaskRunActions run={run} taskRun={taskRun} />}
      {taskRun && <TaskRunParts run={run.id} taskRun={taskRun} />}
      {found?.items && (
        <section>
          <h3>Items</h3>
          <ul className="items">
            {items.data?.items.map((one) => (
              <li key={one.item}>
                <Link
                  to="/runs/$run"
                  params={{ run: run.id }}
                  search={(before) => ({ ...before, node, item: one.item })}
                  replace
                >
                  [{one.item}]
                </Link>{" "}
                <State state={one.state} isBare />
              </li>
            ))}
          </ul>
          {items.data?.nextCursor !== undefined && (
            <p className="quiet">… and {found.items.total - itemsShown} more</p>
          )}
        </section>
      )}
    </aside>
  );
}

function TaskRunParts({ run, taskRun }: { readonly run: string; readonly taskRun: TaskRunView }) {
  const now = useNow();
  const last = taskRun.attempts.at(-1);
  return (
    <>
      {taskRun.reason && (
        <p className="sentence" title={taskRun.reason.code}>
          {taskRun.reason.message}{" "}
          <WhyQueued code={taskRun.reason.code} pool={taskRun.reason.fields?.["pool"]} />
        </p>
      )}
      {last?.error && (
        <section className="note bad">
          <strong>
            {last.error.name}: {last.error.message}
          </strong>
          {last.error.stack !== undefined && <pre className="stack">{last.error.stack}</pre>}
          {last.error.cause !== undefined && <pre className="stack">caused by {last.error.cause}</pre>}
        </section>
      )}
      {taskRun.waits && taskRun.waits.length > 0 && (
        <section>
          <h3>Waits</h3>
          <ul>
            {taskRun.waits.map((wait) => (
              <li key={`${wait.name ?? ""} ${wait.occurrence ?? ""} ${wait.text}`}>
                {wait.name === undefined ? "" : `${wait.name}: `}
                {waitText(wait, now)}
                {wait.trouble && <p className="note warn">{wait.trouble.message}</p>}
                {wait.childRunId !== undefined && <RunLink run={wait.childRunId} />}
                {wait.approval !== undefined && (
                  <>
                    {" "}
                    <Link to="/approvals" search={{ id: wait.approval }}>
                      answer
                    </Link>
                  </>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {taskRun.childRunId !== undefined && (
        <p>
          It started run <RunLink run={taskRun.childRunId} />.
        </p>
      )}
      <LastLines run={run} taskRun={taskRun} />
      {taskRun.attempts.length > 0 && (
        <section>
          <h3>Attempts</h3>
          <ol>
            {taskRun.attempts.map((attempt) => (
              <li key={`${attempt.generation}.${attempt.attempt}.${attempt.dispatch}`}>
                {attempt.attempt} · {attempt.state} · <Clock at={attempt.startedAt} /> ·{" "}
                <Took from={attempt.startedAt} to={attempt.endedAt} />
                {attempt.worker !== undefined && (
                  <span className="quiet">
                    {" · "}
                    <Link to="/workers">{attempt.worker}</Link>
                  </span>
                )}
              </li>
            ))}
          </ol>
        </section>
      )}
      {taskRun.output !== undefined && (
        <section>
          <h3>Output</h3>
          <JsonTree value={taskRun.output} />
        </section>
      )}
      {taskRun.outputBlob && (
        <p>
          Its output has {taskRun.outputBlob.bytes} bytes:{" "}
          <a href={`/api/v1/blobs/${taskRun.outputBlob.hash}`} download>
            download
          </a>
        </p>
      )}
    </>
  );
}

/** Where one sees who has what it waits for. */
function WhyQueued({ code, pool }: { readonly code: string; readonly pool: Json | undefined }) {
  if (typeof pool === "string")
    return (
      <Link to="/workers" search={{ limit: `pool:${pool}` }}>
        who uses it
      </Link>
    );
  return code === "no_worker" || code === "workers_busy" ? <Link to="/workers">workers</Link> : null;
}

function RunLink({ run }: { readonly run: string }) {
  return (
    <Link to="/runs/$run" params={{ run }} className="mono">
      {run}
    </Link>
  );
}

function LastLines({ run, taskRun }: { readonly run: string; readonly taskRun: TaskRunView }) {
  const { id: node, item } = taskRun;
  const attempt = taskRun.attempts.at(-1);
  const { data } = useQuery({
    ...one<LogLinesView>("run", linesPath(run), {
      node,
      item,
      attempt: attempt?.attempt,
      generation: attempt?.generation,
      order: "backward",
      limit: linesShown,
    }),
    enabled: attempt !== undefined,
  });
  const lines = data?.items ?? [];
  if (lines.length === 0) return null;
  const { Link: TabLink } = route;
  return (
    <section>
      <h3>
        Last lines{" "}
        <TabLink
          to="."
          search={(before) => ({ ...before, tab: "logs", node, ...(item === "" ? {} : { item }) })}
        >
          all of them
        </TabLink>
      </h3>
      <div className="log">
        {lines.map((entry) => (
          <LogLine key={logKey(entry)} entry={entry} />
        ))}
      </div>
    </section>
  );
}
