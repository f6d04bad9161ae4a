/** One shared limit: who holds its slots, who waits, and for a pool how many there are. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { LimitUseView, LimitView, PoolView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { countOf } from "../../parts/number-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { UseLink, useKey } from "./limit-use.tsx";
import { PoolSlots } from "./pool-slots.tsx";

interface LimitPanelProps {
  /** `pool:warehouse`. */
  readonly limit: string;
  readonly pools: readonly PoolView[];
  readonly limits: readonly LimitView[];
}

const kinds = { pool: "Pool", key: "Concurrency key", pipeline: "Active runs of" } as const;

export function LimitPanel({ limit, pools, limits }: LimitPanelProps) {
  const colon = limit.indexOf(":");
  const kind = limit.slice(0, colon);
  const name = limit.slice(colon + 1);
  const { data, error } = useQuery(
    one("pools", `/limits/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`),
  );
  const pool = kind === "pool" ? pools.find((one) => one.name === name) : undefined;
  const known = limits.find((one) => one.kind === kind && one.name === name);
  const [used, slots] = [pool?.used ?? known?.used, pool?.slots ?? known?.slots];
  return (
    <aside aria-label={name}>
      <div className="head">
        <h2 className="words">
          {kind in kinds ? kinds[kind as keyof typeof kinds] : "Limit"} {name}
        </h2>
        <Link to="/workers" aria-label="Close">
          ✕
        </Link>
      </div>
      {used !== undefined && slots !== undefined && (
        <p className="sentence">
          {used} of {countOf(slots, "slot")} used.
        </p>
      )}
      {error && <Trouble error={error} />}
      {pool && (
        <p>
          <PoolSlots pool={pool} name="Change the slots…" />
        </p>
      )}
      {data && (
        <>
          <Uses title="Who uses it" uses={data.held} none="Nobody." />
          <Uses title="Who waits" uses={data.waiting} none="Nobody." />
        </>
      )}
    </aside>
  );
}

interface UsesProps {
  readonly title: string;
  readonly uses: readonly LimitUseView[];
  readonly none: string;
}

/** The server shows so many. */
const usesShown = 50;

function Uses({ title, uses, none }: UsesProps) {
  return (
    <section>
      <h3>{title}</h3>
      {uses.length === 0 && <p className="quiet">{none}</p>}
      <ul>
        {uses.map((use) => (
          <li key={useKey(use)}>
            <UseLink use={use} />{" "}
            <span className="quiet">
              {use.pipeline === undefined ? "" : use.run}
              {use.slots > 1 ? `, ${use.slots} slots` : ""}
            </span>
          </li>
        ))}
      </ul>
      {uses.length >= usesShown && <p className="quiet">… and maybe others.</p>}
    </section>
  );
}
