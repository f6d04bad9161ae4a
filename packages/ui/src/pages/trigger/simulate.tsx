/** The condition, as it is or changed, over the recorded past, beside what really fired. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { SimulateRequest, SimulateResponse, TriggerDetail } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { besideEachOther, type Beside } from "./beside.ts";
import { Strip } from "./strip.tsx";

const route = getRouteApi("/triggers/$pipeline");
const dayMs = 86_400_000;
const firingsMax = 1_000;
const spans = ["1", "7", "30", "90"];

interface Outcome {
  readonly response: SimulateResponse;
  readonly from: number;
  readonly to: number;
}

export function Simulate({ trigger }: { readonly trigger: TriggerDetail }) {
  const { days = "7" } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState<string>();
  const { pipeline, definition } = trigger;
  const own = JSON.stringify(definition, undefined, 2);
  const { mutate, data, error, isPending } = useMutation({
    mutationFn: async (): Promise<Outcome> => {
      const to = Date.now();
      const from = to - Number(days) * dayMs;
      const changed =
        text === undefined || text === own ? undefined : (JSON.parse(text) as SimulateRequest["trigger"]);
      const request: SimulateRequest = {
        pipeline,
        since: new Date(from).toISOString(),
        limit: firingsMax,
        ...(changed === undefined ? {} : { trigger: changed }),
      };
      return { response: await post("/triggers/simulate", request), from, to };
    },
  });
  return (
    <div className="parts scrolls stacked">
      <form
        className="filters"
        onSubmit={(submit) => {
          submit.preventDefault();
          mutate();
        }}
      >
        <label className="inline">
          What it would have fired in the last{" "}
          <select
            className="field"
            value={days}
            onChange={({ target }) =>
              void navigate({ search: (before) => ({ ...before, days: target.value }), replace: true })
            }
          >
            {[...new Set([...spans, days])].map((span) => (
              <option key={span} value={span}>
                {span === "1" ? "day" : `${span} days`}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="button primary" disabled={isPending}>
          {isPending ? "Telling the log again…" : "Simulate"}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => setText(text === undefined ? own : undefined)}
        >
          {text === undefined ? "Change the condition…" : "As it is deployed"}
        </button>
      </form>
      {text !== undefined && (
        <textarea
          className="field mono tall"
          aria-label="the trigger as JSON"
          spellCheck={false}
          rows={12}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      )}
      {error && <Trouble error={error} />}
      {data && <Result outcome={data} pipeline={pipeline} />}
      {!data && !error && (
        <p className="quiet">
          The recorded events are told again to a trigger that has nothing yet, and nothing is started.
        </p>
      )}
    </div>
  );
}

function Result({ outcome, pipeline }: { readonly outcome: Outcome; readonly pipeline: string }) {
  const { response, from, to } = outcome;
  const path = `/triggers/${encodeURIComponent(pipeline)}/firings` as const;
  const real = useQuery(one("triggers", path, { limit: firingsMax }));
  const rows = useMemo(
    () => besideEachOther(response.firings, real.data?.items ?? [], from),
    [response, real.data, from],
  );
  const { firingCount, concerned, cut, condition, policy } = response;
  const both = rows.filter(({ simulated, real: one }) => simulated && one).length;
  return (
    <>
      <section>
        <p>
          {firingCount === 0
            ? "It would not have fired"
            : `It would have fired ${firingCount === 1 ? "once" : `${firingCount} times`}`}
          , from {concerned === 1 ? "one event" : `${concerned} events`} of its types; {both} of the firings
          below came in reality as well.
        </p>
        <p className="quiet">{condition}</p>
        {cut !== undefined && <p className="warn-text">It ends before the end of the log, as {cut}.</p>}
        {policy !== undefined && (
          <p className="quiet">
            How long runs take is not in the log: firings that would have shared a run are listed one by one.
          </p>
        )}
      </section>
      <Strip rows={rows} from={from} to={to} />
      <Table
        label="Firings, simulated and real"
        rows={rows}
        columns={columns}
        keyOf={({ name }) => name}
        empty={<p className="quiet">Neither fired in that time.</p>}
      />
    </>
  );
}

const columns: readonly Column<Beside>[] = [
  { name: "at", width: "148px", cell: ({ at }) => <Clock at={at} /> },
  { name: "key", width: "minmax(100px, 1fr)", cell: ({ key }) => key },
  { name: "partition", width: "minmax(100px, 1fr)", cell: ({ partition }) => partition },
  {
    name: "simulated",
    width: "96px",
    cell: ({ simulated }) => (simulated ? "✓" : <span className="quiet">–</span>),
  },
  {
    name: "real",
    width: "minmax(160px, 1fr)",
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
  {
    name: "because",
    width: "minmax(160px, 2fr)",
    cell: ({ simulated }) =>
      simulated?.members
        .slice(0, 3)
        .map(({ operand, event, position }) => {
          const subject =
            event?.subject === undefined || event.subject === operand ? "" : ` ${event.subject}`;
          return `${operand}${subject}${position === undefined ? "" : ` (${position})`}`;
        })
        .join(", "),
  },
];
