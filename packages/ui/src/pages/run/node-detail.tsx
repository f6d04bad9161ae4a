/** One node of a run: its state in a sentence, its error, its last log lines, every attempt, what it waits for, what went in and out. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Json } from "@millrace/core";
import type { TaskRunView } from "@millrace/protocol";
import type { NodePicture } from "@millrace/protocol/run-picture";
import { one } from "../../api/queries.ts";
import { DownloadLink } from "../../parts/download-link.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { bytesText } from "../../parts/number-text.ts";
import { useNow } from "../../parts/now.ts";
import { State } from "../../parts/state.tsx";
import { ArtifactList, useArtifacts } from "./artifacts.tsx";
import { Attempts } from "./attempts.tsx";
import { RunLink } from "./chain-parts.tsx";
import { NodeItems } from "./node-items.tsx";
import { LogLine } from "./log-lines.tsx";
import { TaskRunActions } from "./run-actions.tsx";
import { nodeName, waitText } from "./sentence.ts";
import { linesPath } from "./use-log.ts";
import { logKey, type LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");
const linesShown = 12;

interface NodeDetailProps {
  readonly live: LiveRun;
  readonly node: string;
  readonly item: string | undefined;
}

export function NodeDetail({ live, node, item }: NodeDetailProps) {
  const { run, picture } = live;
  const found = picture.node(node);
  const taskRun = useWhole(live, found, item);
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
      {taskRun && <TaskRunParts live={live} taskRun={taskRun} />}
      {found?.items && <NodeItems live={live} node={found} item={item} />}
    </aside>
  );
}

/** With all of its attempts: what comes live tells of the last one. */
function useWhole(
  { run, picture }: LiveRun,
  node: NodePicture | undefined,
  item: string | undefined,
): TaskRunView | undefined {
  const known =
    node && item !== undefined
      ? [...picture.taskRuns(node.id)].find((taskRun) => taskRun.item === item)
      : node?.taskRun;
  const last = known?.attempts.at(-1);
  const attempts = (last?.dispatch ?? 0) > 1 || (known?.generation ?? 1) > 1 || known?.state === "retrying";
  const wantedItem = item ?? known?.item;
  const path = `/runs/${encodeURIComponent(run.id)}/nodes` as const;
  const { data } = useQuery({
    ...one("run", path, { node: node?.id, limit: 1_000 }),
    queryKey: ["run", path, node?.id, known?.state, known?.generation, last?.dispatch, wantedItem],
    // Of a node with very many items each is told whole by the run's first reading.
    enabled: node !== undefined && node.items === undefined && attempts,
    placeholderData: (before) => before,
  });
  const whole = data?.items.find((one_) => one_.id === node?.id && one_.item === (wantedItem ?? ""));
  if (!whole || !known) return known;
  return {
    ...known,
    attempts: whole.attempts.length >= known.attempts.length ? whole.attempts : known.attempts,
  };
}

function TaskRunParts({ live, taskRun }: { readonly live: LiveRun; readonly taskRun: TaskRunView }) {
  const { run } = live;
  const last = taskRun.attempts.at(-1);
  const artifacts = useArtifacts(live).filter(
    ({ node, item }) => node === taskRun.id && item === taskRun.item,
  );
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
      <Waits taskRun={taskRun} />
      {taskRun.childRunId !== undefined && (
        <p>
          It started run <RunLink run={taskRun.childRunId} />.
        </p>
      )}
      <LastLines run={run.id} taskRun={taskRun} />
      <Attempts run={run.id} taskRun={taskRun} />
      <Input run={run.id} taskRun={taskRun} />
      {taskRun.output !== undefined && (
        <section>
          <h3>Output</h3>
          <JsonTree value={taskRun.output} />
        </section>
      )}
      {taskRun.outputBlob && (
        <section>
          <h3>Output</h3>
          <p>
            It has {bytesText(taskRun.outputBlob.bytes)}:{" "}
            <DownloadLink path={`/blobs/${taskRun.outputBlob.hash}`} name={`${taskRun.id}-output.json`}>
              download
            </DownloadLink>
          </p>
        </section>
      )}
      {artifacts.length > 0 && (
        <section>
          <h3>Artifacts</h3>
          <ArtifactList run={run.id} artifacts={artifacts} withNode={false} />
        </section>
      )}
    </>
  );
}

/** Each with what would end it. */
function Waits({ taskRun }: { readonly taskRun: TaskRunView }) {
  const now = useNow();
  if (!taskRun.waits || taskRun.waits.length === 0) return null;
  return (
    <section>
      <h3>Waits</h3>
      <ul>
        {taskRun.waits.map((wait) => (
          <li key={`${wait.name ?? ""} ${wait.occurrence ?? ""} ${wait.text}`}>
            {wait.name === undefined ? "It waits " : `${wait.name}: it waits `}
            {waitText(wait, now)}
            {wait.trouble && <p className="note warn">{wait.trouble.message}</p>}
            {wait.childRunId !== undefined && (
              <>
                {" "}
                <RunLink run={wait.childRunId} />
              </>
            )}
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
  );
}

function Input({ run, taskRun }: { readonly run: string; readonly taskRun: TaskRunView }) {
  const { id: node, item, generation, startedAt } = taskRun;
  const path = `/runs/${encodeURIComponent(run)}/input` as const;
  const { data } = useQuery({
    ...one("run", path, { node, item }),
    queryKey: ["run", path, node, item, generation],
    enabled: startedAt !== undefined,
  });
  if (!data || (data.input === undefined && !data.isLarge)) return null;
  return (
    <section>
      <h3>Input</h3>
      {data.input === undefined ? (
        <p className="quiet">It is too large to be shown.</p>
      ) : (
        <JsonTree value={data.input} />
      )}
    </section>
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

function LastLines({ run, taskRun }: { readonly run: string; readonly taskRun: TaskRunView }) {
  const { id: node, item, state } = taskRun;
  const attempt = taskRun.attempts.at(-1);
  const query = {
    node,
    item,
    attempt: attempt?.attempt,
    generation: attempt?.generation,
    order: "backward",
    limit: linesShown,
  } as const;
  const { data } = useQuery({
    ...one("run", linesPath(run), query),
    // When it ends there are more.
    queryKey: ["run", linesPath(run), query, state],
    enabled: attempt !== undefined,
    placeholderData: (before) => before,
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
          search={({ at: _at, ...before }) => ({
            ...before,
            tab: "logs",
            node,
            ...(item === "" ? {} : { item }),
          })}
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
