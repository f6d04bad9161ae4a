/** What starts runs: the trigger of each pipeline, when it fired last, what is in its way. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { TriggerSummary } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstTrigger } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { countOf } from "../../parts/number-text.ts";
import { State } from "../../parts/state.tsx";
import { LongList } from "../../parts/long-list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";

const route = getRouteApi("/triggers");

const columns: readonly Column<TriggerSummary>[] = [
  {
    name: "pipeline",
    width: "minmax(150px, 1fr)",
    cell: ({ pipeline }) => (
      <Link to="/triggers/$pipeline" params={{ pipeline }}>
        {pipeline}
      </Link>
    ),
  },
  {
    name: "starts with",
    width: "minmax(240px, 3fr)",
    cell: ({ condition }) => <span title={condition}>{condition}</span>,
  },
  {
    name: "",
    width: "104px",
    cell: ({ paused, lastFiring }) =>
      paused ? (
        <State state="paused" />
      ) : lastFiring?.reason ? (
        <span className="bad-text" title={lastFiring.reason.message}>
          ✕ no run
        </span>
      ) : null,
  },
  {
    name: "keys",
    width: "64px",
    isNumber: true,
    cell: ({ keyed, keys, keysAreMore }) => (keyed ? `${keys}${keysAreMore ? "+" : ""}` : ""),
  },
  {
    name: "fired last",
    width: "112px",
    isNumber: true,
    cell: ({ lastFiring }) =>
      lastFiring ? (
        lastFiring.runId === undefined ? (
          <Ago at={lastFiring.at} />
        ) : (
          <Link to="/runs/$run" params={{ run: lastFiring.runId }}>
            <Ago at={lastFiring.at} />
          </Link>
        )
      ) : (
        <span className="quiet">never</span>
      ),
  },
  {
    name: "time decides",
    width: "104px",
    isNumber: true,
    cell: ({ nextDue, paused }) => (nextDue === undefined || paused ? null : <Ago at={nextDue} />),
  },
];

export function Triggers() {
  const { find } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(list("triggers", "/triggers"));
  const { data, hasNextPage } = query;
  const shown =
    find === undefined
      ? data
      : data?.filter(({ pipeline, condition }) => pipeline.includes(find) || condition.includes(find));
  return (
    <div className="page fills">
      <Head title="Triggers" name="Triggers">
        {data && data.length > 0 ? sentence(data, hasNextPage) : ""}
      </Head>
      <div className="filters">
        <input
          className="field"
          type="search"
          data-filter
          aria-label="pipeline or words of its condition"
          placeholder="pipeline, event, asset  /"
          value={find ?? ""}
          onChange={({ target: { value } }) =>
            void navigate({ search: value === "" ? {} : { find: value }, replace: true })
          }
        />
      </div>
      <LongList
        query={query}
        label="Triggers"
        rows={shown}
        columns={columns}
        keyOf={({ pipeline }) => pipeline}
        empty={find === undefined ? <NoTriggers /> : <p>No trigger has that in its name or condition.</p>}
      />
    </div>
  );
}

function sentence(triggers: readonly TriggerSummary[], isMore: boolean): string {
  const paused = triggers.filter((trigger) => trigger.paused).length;
  const stuck = triggers.filter(({ lastFiring }) => lastFiring?.reason).length;
  const parts = [
    paused === 0 ? "" : `${paused} ${paused === 1 ? "is" : "are"} paused`,
    stuck === 0 ? "" : `the last firing of ${stuck} started no run`,
  ].filter((part) => part !== "");
  const count = isMore
    ? `more than ${countOf(triggers.length, "trigger")}`
    : countOf(triggers.length, "trigger");
  return parts.length === 0 ? `${count}, all on.` : `${count}; ${parts.join(", ")}.`;
}

function NoTriggers() {
  return (
    <>
      <p>
        Here stands what starts runs: times, events, updates of assets, or any of them together. A pipeline
        names it:
      </p>
      <Code text={firstTrigger} />
    </>
  );
}
