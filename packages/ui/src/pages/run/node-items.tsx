/** The items of a mapped node: how many are in which state, and each with a link, however many there are. */
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { TaskRunState, TaskRunView } from "@millrace/protocol";
import type { NodePicture } from "@millrace/protocol/run-picture";
import { useNow } from "../../parts/now.ts";
import { State, stateWord } from "../../parts/state.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { durationText } from "../../parts/time-text.ts";
import { failureText } from "./sentence.ts";
import type { LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");

interface NodeItemsProps {
  readonly live: LiveRun;
  readonly node: NodePicture;
  readonly item: string | undefined;
}

export function NodeItems({ live, node, item }: NodeItemsProps) {
  const [only, setOnly] = useState<TaskRunState>();
  const navigate = route.useNavigate();
  const now = useNow();
  const { picture, version } = live;
  const rows = useMemo(
    () => {
      const all = [...picture.taskRuns(node.id)].filter(({ state }) => only === undefined || state === only);
      return all.sort((a, b) => compareItems(a.item, b.item));
    },
    // Its version stands for what the picture tells.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [picture, version, node.id, only],
  );
  const counts = [...(node.items?.counts ?? [])].filter(([, count]) => count > 0);
  const columns: readonly Column<TaskRunView>[] = [
    { name: "item", width: "80px", cell: ({ item: name }) => `[${name}]` },
    { name: "state", width: "110px", cell: ({ state }) => <State state={state} /> },
    {
      name: "",
      width: "minmax(80px, 1fr)",
      cell: (taskRun) => {
        const text = taskRun.state === "failed" ? failureText(taskRun) : (taskRun.reason?.message ?? "");
        return (
          <span className="quiet" title={text}>
            {text}
          </span>
        );
      },
    },
    {
      name: "took",
      width: "64px",
      isNumber: true,
      cell: ({ startedAt, endedAt }) =>
        startedAt === undefined
          ? ""
          : durationText((endedAt === undefined ? now : Date.parse(endedAt)) - Date.parse(startedAt)),
    },
  ];
  return (
    <section className="node-items">
      <h3>
        {node.items?.total} items{" "}
        {counts.map(([state, count]) => (
          <button
            key={state}
            type="button"
            className="fold"
            aria-pressed={only === state}
            onClick={() => setOnly(only === state ? undefined : state)}
          >
            <State state={state} isBare /> {count} {stateWord(state)}
          </button>
        ))}
      </h3>
      <Table
        label="Items"
        rows={rows}
        columns={columns}
        keyOf={(row) => row.item}
        selected={item}
        onOpen={(row) => {
          void navigate({
            search: (before) => ({ ...before, node: node.id, item: row.item }),
            replace: true,
          });
        }}
        empty={<p>No item is in this state.</p>}
      />
    </section>
  );
}

/** `"2"` before `"10"` before `"10.1"`. */
function compareItems(a: string, b: string): number {
  const left = a.split(".");
  const right = b.split(".");
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = Number(left[at]) - Number(right[at]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
