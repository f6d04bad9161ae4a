/** Who does the work, what waits for it and why: workers, queues, pools and other shared limits. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { PoolView, QueueView, WorkerView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstPool } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { Meter } from "../../parts/meter.tsx";
import { countOf } from "../../parts/number-text.ts";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";
import { Ago } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import "../../styles/now.css";
import { poolColumns, queueColumns } from "./columns.tsx";
import { LimitPanel } from "./limit-panel.tsx";
import { NotStarting } from "./not-starting.tsx";

const route = getRouteApi("/workers");

const workerColumns: readonly ShortColumn<WorkerView>[] = [
  { name: "worker", cell: ({ name, id }) => <span title={id}>{name}</span> },
  {
    name: "state",
    cell: ({ draining, busy }) =>
      draining ? (
        <span className="state warn">
          <span className="mark">‖</span>draining
        </span>
      ) : busy > 0 ? (
        <span className="state busy">
          <span className="mark">◐</span>busy
        </span>
      ) : (
        <span className="state off">
          <span className="mark">○</span>idle
        </span>
      ),
  },
  {
    name: "slots",
    cell: ({ name, busy, slots }) => <Meter label={`Slots of ${name}`} used={busy} of={slots} />,
  },
  { name: "queues", isLong: true, cell: ({ queues }) => queues.join(", ") },
  {
    name: "labels",
    isLong: true,
    cell: ({ labels }) => (
      <span className="quiet">
        {Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(" ")}
      </span>
    ),
  },
  { name: "version", cell: ({ version }) => <span className="quiet">{version}</span> },
  { name: "at server", isNumber: true, cell: ({ node }) => <Link to="/system">{node}</Link> },
  { name: "connected", isNumber: true, cell: ({ connectedAt }) => <Ago at={connectedAt} /> },
];

/** Names of queues lead nowhere here: this is their page. */
const [, queueSlots, queueWaiting] = queueColumns;
const queueColumnsHere: readonly ShortColumn<QueueView>[] = [
  { name: "queue", cell: ({ name }) => name },
  {
    name: "workers",
    isNumber: true,
    cell: ({ workers }) => (workers === 0 ? <span className="bad-text">none</span> : workers),
  },
  queueSlots!,
  queueWaiting!,
];

const poolColumnsHere: readonly ShortColumn<PoolView>[] = [
  ...poolColumns,
  {
    name: "set by",
    cell: ({ setByOperator }) => (
      <span className="quiet">{setByOperator ? "an operator" : "the configuration"}</span>
    ),
  },
];

export function Workers() {
  const { limit } = route.useSearch();
  const workers = useQuery(one("workers", "/workers"));
  const queues = useQuery(one("workers", "/queues"));
  const pools = useQuery(one("pools", "/pools"));
  const limits = useQuery(one("pools", "/limits"));
  const error = workers.error ?? queues.error ?? pools.error ?? limits.error;
  return (
    <div className="page fills">
      <Head title="Workers" name="Workers">
        {workers.data && sentenceOf(workers.data.items)}
      </Head>
      {error && <Trouble error={error} />}
      <div className={limit === undefined ? "split" : "split open"}>
        <div className="parts scrolls">
          {queues.data && limits.data && pools.data && (
            <NotStarting queues={queues.data.items} limits={limits.data.items} />
          )}
          <section className="block">
            <h2>Workers</h2>
            {workers.data && (
              <ShortTable
                label="Workers"
                rows={workers.data.items}
                columns={workerColumns}
                keyOf={({ id }) => id}
                empty={<NoWorkers />}
              />
            )}
          </section>
          <section className="block">
            <h2>Queues</h2>
            {queues.data && (
              <ShortTable
                label="Queues"
                rows={queues.data.items}
                columns={queueColumnsHere}
                keyOf={({ name }) => name}
                empty={<p>No worker serves a queue, and nothing waits in one.</p>}
              />
            )}
          </section>
          <section className="block">
            <h2>Pools</h2>
            {pools.data && (
              <ShortTable
                label="Pools"
                rows={pools.data.items}
                columns={poolColumnsHere}
                keyOf={({ name }) => name}
                selected={limit?.startsWith("pool:") ? limit.slice("pool:".length) : undefined}
                empty={<NoPools />}
              />
            )}
          </section>
        </div>
        {limit !== undefined && (
          <LimitPanel
            key={limit}
            limit={limit}
            pools={pools.data?.items ?? []}
            limits={limits.data?.items ?? []}
          />
        )}
      </div>
    </div>
  );
}

function sentenceOf(workers: readonly WorkerView[]): string {
  if (workers.length === 0) return "No worker is connected: nothing that is a task starts.";
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const busy = workers.reduce((sum, worker) => sum + worker.busy, 0);
  const draining = workers.filter((worker) => worker.draining).length;
  const told = draining === 0 ? "" : `; ${countOf(draining, "worker drains", "workers drain")}`;
  return `${busy} of ${countOf(slots, "slot")} busy on ${countOf(workers.length, "worker")}${told}.`;
}

function NoWorkers() {
  return (
    <>
      <p>
        Workers run the functions of tasks. <code>millrace dev</code> brings one along; elsewhere, start some,
        on this machine or any other that reaches the server:
      </p>
      <Code text="npx millrace worker --slots 4" />
    </>
  );
}

function NoPools() {
  return (
    <>
      <p>
        A pool is a limit that tasks share, however many workers there are: so many connections to a
        warehouse. Declare it in <code>millrace.config.ts</code>
      </p>
      <Code text={firstPool.configuration} />
      <p>and name it in a task:</p>
      <Code text={firstPool.task} />
    </>
  );
}
