/** What a simulation fired: counted, drawn above what really fired, and listed with what differs. */
import { useNavigate, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";
import { Clock } from "../../parts/time.tsx";
import type { Beside } from "./beside.ts";
import { compared, type Simulated } from "./simulated.ts";
import { Strip } from "./strip.tsx";
import "../../styles/trigger.css";

type Shown = "all" | "differences";
const rowsFirst = 100;

interface SimulationResultProps {
  readonly simulated: Simulated;
  /** Absent where it is of no pipeline yet. */
  readonly pipeline?: string;
}

export function SimulationResult({ simulated, pipeline }: SimulationResultProps) {
  const comparison = useMemo(() => compared(simulated), [simulated]);
  const differs = comparison.onlySimulated + comparison.onlyReal;
  const [shown, setShown] = useState<Shown>("all");
  const [count, setCount] = useState(rowsFirst);
  const navigate = useNavigate();
  const isCompared = simulated.real !== undefined;
  const rows =
    shown === "all" || !isCompared
      ? comparison.rows
      : comparison.rows.filter((row) => !row.simulated || !row.real);
  return (
    <>
      <section aria-label="What came of it">
        <Sentence simulated={simulated} comparison={comparison} />
      </section>
      <Strip
        rows={comparison.rows}
        from={comparison.from}
        to={simulated.to}
        hasReal={isCompared}
        onOpen={(position) => void navigate({ to: "/events", search: { event: String(position) } })}
      />
      {isCompared && (
        <div className="filters" role="group" aria-label="Which firings">
          {(["all", "differences"] as const).map((which) => (
            <button
              key={which}
              type="button"
              className="button"
              aria-pressed={shown === which}
              onClick={() => setShown(which)}
            >
              {which === "all" ? `All ${comparison.rows.length}` : `Differences ${differs}`}
            </button>
          ))}
        </div>
      )}
      <ShortTable
        label={isCompared ? "Firings, simulated and real" : "Firings, simulated"}
        rows={rows.slice(0, count)}
        columns={isCompared ? columns : columns.filter(({ name }) => name !== "real" && name !== "")}
        keyOf={({ name }) => name}
        empty={
          <p className="quiet">
            {shown === "differences"
              ? `No difference: it fires as ${pipeline ?? "it"} did.`
              : "Nothing fired in that time."}
          </p>
        }
      />
      {rows.length > count && (
        <p>
          <button type="button" className="button" onClick={() => setCount(count + 5 * rowsFirst)}>
            {rows.length - count} more
          </button>
        </p>
      )}
    </>
  );
}

function Sentence({
  simulated: { response, real, from },
  comparison,
}: {
  readonly simulated: Simulated;
  readonly comparison: ReturnType<typeof compared>;
}) {
  const { firingCount, concerned, cut, condition, policy, onlyWhereAsked } = response;
  const { both, onlySimulated, onlyReal } = comparison;
  return (
    <>
      <p>
        It would have fired <strong>{firingCount === 1 ? "once" : `${firingCount} times`}</strong>, from{" "}
        {concerned === 1 ? "one event" : `${concerned} events`} of its types
        {real === undefined ? (
          "."
        ) : (
          <>
            : {both} as in reality, <strong>{onlySimulated} that did not come</strong>, and{" "}
            <strong>{onlyReal} that came would not</strong>.
          </>
        )}
      </p>
      <p className="quiet">{condition}</p>
      {comparison.from > from && (
        <p className="quiet">
          There are more firings than are listed: those since{" "}
          <Clock at={new Date(comparison.from).toISOString()} /> are compared.
        </p>
      )}
      {cut !== undefined && <p className="warn-text">It ends before the end of the log, as {cut}.</p>}
      {onlyWhereAsked !== undefined && (
        <p className="warn-text">
          The log has {onlyWhereAsked.join(", ")} only of where a deployed condition asked for it.
        </p>
      )}
      {policy !== undefined && (
        <p className="quiet">
          How long runs take is not in the log: firings that would have shared a run are listed one by one.
        </p>
      )}
    </>
  );
}

function differenceOf({ simulated, real }: Beside): { readonly mark: string; readonly word: string } {
  if (simulated && real) return { mark: "=", word: "both" };
  return simulated ? { mark: "+", word: "new" } : { mark: "−", word: "gone" };
}

const columns: readonly ShortColumn<Beside>[] = [
  {
    name: "",
    cell: (row) => {
      const { mark, word } = differenceOf(row);
      return (
        <span className={mark === "=" ? "quiet" : "warn-text"}>
          {mark} {word}
        </span>
      );
    },
  },
  { name: "at", cell: ({ at }) => <Clock at={at} /> },
  { name: "key", cell: ({ key }) => key },
  { name: "partition", cell: ({ partition }) => partition },
  {
    name: "members",
    isNumber: true,
    cell: ({ simulated, real }) => simulated?.memberCount ?? real?.memberCount,
  },
  {
    name: "because",
    isLong: true,
    cell: ({ simulated }) =>
      simulated?.members.slice(0, 3).map(({ operand, position, event, at }, index) => (
        <span key={`${operand} ${position ?? at ?? index}`}>
          {index > 0 && ", "}
          {position === undefined ? (
            operand
          ) : (
            <Link to="/events" search={{ event: String(position) }}>
              {operand}
              {event?.subject === undefined || event.subject === operand ? "" : ` ${event.subject}`}{" "}
              {position}
            </Link>
          )}
        </span>
      )),
  },
  {
    name: "real",
    cell: ({ real }) =>
      real === undefined ? (
        <span className="quiet">–</span>
      ) : real.runId === undefined ? (
        real.state
      ) : (
        <Link to="/runs/$run" params={{ run: real.runId }} className="mono">
          {real.runId}
        </Link>
      ),
  },
];
