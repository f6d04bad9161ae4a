/** One shared limit: who holds its slots, who waits, and for a pool how many there are. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { LimitUseView, LimitView, PoolView } from "@millrace/protocol";
import { put } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { Ask } from "../../parts/ask.tsx";
import { countOf } from "../../parts/number-text.ts";
import { Trouble } from "../../parts/trouble.tsx";

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
      {pool && <Slots pool={pool} />}
      {data && (
        <>
          <Uses title="Who uses it" uses={data.held} none="Nobody." />
          <Uses title="Who waits" uses={data.waiting} none="Nobody." />
        </>
      )}
    </aside>
  );
}

function Slots({ pool }: { readonly pool: PoolView }) {
  const [text, setText] = useState(String(pool.slots));
  const slots = Number(text);
  const isNumber = /^\d{1,7}$/.test(text) && slots <= 1_000_000;
  return (
    <p>
      <Ask
        name="Change the slots…"
        title={`Slots of the pool ${pool.name}`}
        confirm="Set"
        act={() => put(`/pools/${encodeURIComponent(pool.name)}`, { slots: isNumber ? slots : -1 })}
        changes={["pools", "overview"]}
      >
        <p>
          <input
            className="field"
            inputMode="numeric"
            aria-label="Slots"
            aria-invalid={!isNumber}
            value={text}
            onChange={(event) => setText(event.target.value.trim())}
          />
        </p>
        <p>
          {!isNumber
            ? "A whole number from 0 to 1,000,000."
            : slots < pool.used
              ? `${pool.used} are used: those go on, and nobody else gets one until fewer than ${slots} are.`
              : `${countOf(Math.max(0, slots - pool.used), "slot")} will be free. It holds over deploys.`}
        </p>
      </Ask>
    </p>
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
        {uses.map(({ run, pipeline, node, item, slots }) => (
          <li key={`${run} ${node ?? ""} ${item ?? ""}`}>
            <Link
              to="/runs/$run"
              params={{ run }}
              search={node === undefined ? {} : item === undefined ? { node } : { node, item }}
            >
              {pipeline ?? run} {node === undefined ? "" : item === undefined ? node : `${node}[${item}]`}
            </Link>{" "}
            <span className="quiet">
              {pipeline === undefined ? "" : run}
              {slots > 1 ? `, ${slots} slots` : ""}
            </span>
          </li>
        ))}
      </ul>
      {uses.length >= usesShown && <p className="quiet">… and maybe others.</p>}
    </section>
  );
}
