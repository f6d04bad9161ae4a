/** Columns of queues and pools, wherever they are listed. */
import { Link } from "@tanstack/react-router";
import type { PoolView, QueueView } from "@millrace/protocol";
import { Meter } from "../../parts/meter.tsx";
import { countText } from "../../parts/number-text.ts";
import type { ShortColumn } from "../../parts/short-table.tsx";

/** The server counts what waits for a pool up to this. */
const waitingMax = 1_000;

function Waiting({ count, isMore }: { readonly count: number; readonly isMore?: true }) {
  if (count === 0) return <span className="quiet">–</span>;
  return countText({ count, ...(isMore ? { isMore } : {}) });
}

export const queueColumns: readonly ShortColumn<QueueView>[] = [
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
  { name: "waiting", isNumber: true, cell: ({ waiting }) => <Waiting {...waiting} /> },
];

export const poolColumns: readonly ShortColumn<PoolView>[] = [
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
      waiting > waitingMax ? <Waiting count={waitingMax} isMore /> : <Waiting count={waiting} />,
  },
];
