/** How busy workers, queues and pools are. */
import { Link } from "@tanstack/react-router";
import type { Overview } from "@millrace/protocol";
import { countOf } from "../../parts/number-text.ts";
import { ShortTable } from "../../parts/short-table.tsx";
import { poolColumns, queueColumns } from "../workers/columns.tsx";

const shown = 8;

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
