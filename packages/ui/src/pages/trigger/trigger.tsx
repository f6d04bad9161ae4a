/** One trigger: what it has and waits for, why an event did or did not count, what it fired, what it would fire. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { one } from "../../api/queries.ts";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { State } from "../../parts/state.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { AllFirings } from "./all-firings.tsx";
import { StateTab } from "./state-tab.tsx";
import { Policies } from "./policies.tsx";
import { triggerSentence } from "./sentence.ts";
import { Simulate } from "./simulate.tsx";

const route = getRouteApi("/triggers/$pipeline");

const tabs = [
  { id: "state", name: "State" },
  { id: "firings", name: "Firings" },
  { id: "simulate", name: "Simulate" },
  { id: "definition", name: "Definition" },
] as const;

export function Trigger() {
  const { pipeline } = route.useParams();
  const { tab = "state" } = route.useSearch();
  const now = useNow();
  const { data, error, refetch } = useQuery({
    ...one("triggers", `/triggers/${encodeURIComponent(pipeline)}`),
    retry: false,
  });
  if (error)
    return (
      <div className="page">
        <Head title={`Trigger of ${pipeline}`} name={pipeline} />
        <Trouble error={error} onRetry={() => void refetch()} />
      </div>
    );
  if (!data) return <div className="page quiet">Reading the trigger…</div>;
  return (
    <div className="page fills">
      <Head
        name={`Trigger of ${pipeline}`}
        title={
          <>
            <span className="quiet">What starts</span>
            <Link to="/pipelines/$pipeline" params={{ pipeline }}>
              {pipeline}
            </Link>
            {data.paused && <State state="paused" />}
          </>
        }
      >
        <p className="ink">{data.condition}</p>
        <p className={data.lastFiring?.reason ? "bad-text" : undefined}>{triggerSentence(data, now)}</p>
      </Head>
      <Tabs
        label="Parts of the trigger"
        tabs={tabs}
        tab={tab}
        to={(id) => ({
          to: "/triggers/$pipeline",
          params: { pipeline },
          search: (before: { readonly key?: string }) => ({ ...before, tab: id }),
        })}
      />
      {tab === "firings" ? (
        <AllFirings pipeline={pipeline} />
      ) : tab === "simulate" ? (
        <Simulate trigger={data} key={pipeline} />
      ) : tab === "definition" ? (
        <Policies trigger={data} />
      ) : (
        <StateTab trigger={data} />
      )}
    </div>
  );
}
