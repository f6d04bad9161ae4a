/** The nodes of a run as an outline, each with its span of time beside it: queued thin, running full, waits as a thin line. */
import { getRouteApi } from "@tanstack/react-router";
import type { CSSProperties } from "react";
import type { NodePicture } from "@millrace/protocol/run-picture";
import { useNow } from "../../parts/now.ts";
import { State, stateKind, stateWord } from "../../parts/state.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { durationText } from "../../parts/time-text.ts";
import { failureText, waitText } from "./sentence.ts";
import { isUnderWay, type LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");

interface NodesProps {
  readonly live: LiveRun;
  readonly selected: string | undefined;
}

export function Nodes({ live, selected }: NodesProps) {
  const { picture, run } = live;
  const now = useNow();
  const navigate = route.useNavigate();
  const from = Date.parse(run.startedAt ?? run.createdAt);
  const to = Math.max(from + 1, isUnderWay(run) || run.endedAt === undefined ? now : Date.parse(run.endedAt));
  const columns: readonly Column<NodePicture>[] = [
    { name: "node", width: "minmax(160px, 1.2fr)", cell: (node) => <NodeName node={node} /> },
    { name: "", width: "minmax(120px, 1fr)", cell: (node) => <Told node={node} now={now} /> },
    { name: "took", width: "72px", isNumber: true, cell: (node) => tookText(node, now) },
    {
      name: `${durationText(to - from)} in all`,
      width: "minmax(200px, 2.4fr)",
      cell: (node) => <Span node={node} from={from} to={to} now={now} />,
    },
  ];
  return (
    <Table
      label="Nodes"
      rows={picture.nodes()}
      columns={columns}
      keyOf={({ id }) => id}
      selected={selected}
      onOpen={({ id }) => {
        void navigate({
          search: (before) => {
            const { item: _item, ...rest } = before;
            return { ...rest, node: id };
          },
          replace: true,
        });
      }}
      empty={<p>Its pipeline has no nodes.</p>}
    />
  );
}

function NodeName({ node }: { readonly node: NodePicture }) {
  return (
    <>
      <span className="mono quiet lead">{node.row?.lead}</span>
      <State state={node.state} isBare /> {node.id}
    </>
  );
}

/** What a name and a bar do not say. */
function Told({ node, now }: { readonly node: NodePicture; readonly now: number }) {
  const { items, taskRun, state } = node;
  if (items) {
    const parts = [...items.counts]
      .filter(([, count]) => count > 0)
      .map(([one, count]) => `${count} ${stateWord(one)}`);
    return (
      <span className="quiet" title={items.queuedFor}>
        {parts.join(", ")}
      </span>
    );
  }
  const last = taskRun?.attempts.at(-1);
  const text =
    state === "failed" && taskRun
      ? failureText(taskRun)
      : state === "waiting" && taskRun?.waits?.[0]
        ? waitText(taskRun.waits[0], now)
        : state === "running" && taskRun?.progress
          ? `${Math.round(taskRun.progress.fraction * 100)} % ${taskRun.progress.message ?? ""}`
          : ((state === "succeeded" ? undefined : taskRun?.reason?.message) ?? stateWord(state));
  const again = last && last.attempt > 1 ? `attempt ${last.attempt} · ` : "";
  return (
    <span className={state === "failed" ? "bad-text" : "quiet"} title={text}>
      {again}
      {text}
    </span>
  );
}

function tookText({ startedAt, endedAt }: NodePicture, now: number): string {
  return startedAt === undefined ? "" : durationText((endedAt ?? now) - startedAt);
}

/** Attempts are told apart; between them it waits or is queued. */
function Span(props: {
  readonly node: NodePicture;
  readonly from: number;
  readonly to: number;
  readonly now: number;
}) {
  const { node, from, to, now } = props;
  if (node.startedAt === undefined) return null;
  const place = (begin: number, end: number): CSSProperties => ({
    left: `${(100 * (begin - from)) / (to - from)}%`,
    width: `max(2px, ${(100 * Math.max(0, end - begin)) / (to - from)}%)`,
  });
  const attempts = node.items ? [] : (node.taskRun?.attempts ?? []);
  return (
    <span className="span" aria-hidden="true">
      <i className={`whole ${stateKind(node.state)}`} style={place(node.startedAt, node.endedAt ?? now)} />
      {attempts.length === 0 ? (
        <i className={`bar ${stateKind(node.state)}`} style={place(node.startedAt, node.endedAt ?? now)} />
      ) : (
        attempts.map(({ generation, attempt, dispatch, startedAt, endedAt, state }) => (
          <i
            key={`${generation}.${attempt}.${dispatch}`}
            className={`bar ${state === "lost" ? "bad" : state === "suspended" ? "good" : stateKind(state)}`}
            title={`attempt ${attempt}: ${state}`}
            style={place(Date.parse(startedAt), endedAt === undefined ? now : Date.parse(endedAt))}
          />
        ))
      )}
    </span>
  );
}
