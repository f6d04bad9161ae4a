/** How busy workers, queues and pools are. */
import { Link } from "@tanstack/react-router";
import type { Overview, PoolView, QueueView } from "@millrace/protocol";
import { Meter } from "../../parts/meter.tsx";
import { countOf, countText } from "../../parts/number-text.ts";
import { ShortTable, type ShortColumn } from "../../parts/short-table.tsx";

const shown = 8;

const queueColumns: readonly ShortColumn<QueueView>[] = [
  { name: "queue", cell: ({ name }) => <Link to="/workers">{name}</Link> },
  {
    name: "slots",
    cell: ({ name, busy, slots, workers }) =>
      workers === 0 ? (
        <span className="quiet">no worker</span>
      ) : (
        <Meter label={`Slots of the queue ${name}`} used={busy} of={slots} />
      ),
  },
  {
    name: "waiting",
    isNumber: true,
    cell: ({ waiting }) => (waiting.count === 0 ? <span className="quiet">–</span> : countText(waiting)),
  },
];

const poolColumns: readonly ShortColumn<PoolView>[] = [
  {
    name: "pool",
    cell: ({ name }) => (
      <Link to="/workers" search={{ limit: `pool:${name}` }}>
        {name}
      </Link>
    ),
  },
  {
    name: "slots",
    cell: ({ name, used, slots }) => <Meter label={`Slots of the pool ${name}`} used={used} of={slots} />,
  },
  {
    name: "waiting",
    isNumber: true,
    cell: ({ waiting }) =>
      waiting === 0 ? (
        <span className="quiet">–</span>
      ) : (
        countText(waiting > 1_000 ? { count: 1_000, isMore: true } : { count: waiting })
      ),
  },
];

export function Load({ load }: { readonly load: Overview["load"] }) {
  const { workers, draining, slots, busy, queues, pools, servers } = load;
  return (
    <section className="block">
      <div className="block-head">
        <h2>Load</h2>
        <span className="quiet">
          {workers === 0 ? (
            <Link to="/workers">no worker is connected</Link>
          ) : (
            <>
              {busy} of {countOf(slots, "slot")} busy on{" "}
              <Link to="/workers">{countOf(workers, "worker")}</Link>
              {draining > 0 && `, ${draining} draining`}
            </>
          )}
          {", "}
          <Link to="/system">{countOf(servers, "server")}</Link>
        </span>
      </div>
      <ShortTable
        label="Queues"
        rows={queues.slice(0, shown)}
        columns={queueColumns}
        keyOf={({ name }) => name}
        empty={<p>No queue has a worker, and nothing waits in one.</p>}
      />
      {pools.length > 0 && (
        <ShortTable
          label="Pools"
          rows={[...pools].sort((a, b) => b.waiting - a.waiting || b.used - a.used).slice(0, shown)}
          columns={poolColumns}
          keyOf={({ name }) => name}
        />
      )}
    </section>
  );
}
