/** A trigger made from an example: fields of an event become its filter and key; shown as code, and simulated over the past. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Condition, Json, Where } from "@millrace/core";
import type { EventView, SimulateRequest } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { Head } from "../../parts/head.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { FilterTree, type Path } from "./filter-tree.tsx";
import { conditionCode } from "../trigger/condition-code.ts";
import { SimulationResult } from "../trigger/simulation-result.tsx";
import { firingsMax, type Simulated } from "../trigger/simulated.ts";
import "../../styles/trigger.css";

const route = getRouteApi("/events");
const dayMs = 86_400_000;
const daysBack = 7;
const codeWidth = 64;

type Scalar = string | number | boolean | null;
type How = "eq" | "gte" | "lte" | "exists" | "key";

interface Pick {
  readonly path: Path;
  readonly value: Scalar;
  readonly how: How;
}

export function BuildTrigger({ position }: { readonly position: string }) {
  const { data, error } = useQuery({
    ...one("run", `/events/${encodeURIComponent(position)}`),
    staleTime: Infinity,
    retry: false,
  });
  return (
    <div className="page fills">
      <Head title="A trigger from an event" name="A trigger from an event">
        <p>
          Made of{" "}
          <Link
            to="/events"
            search={({ build: _build, fields: _fields, ...rest }) => ({ ...rest, event: position })}
          >
            {data ? `${data.event.type}, entry ${position}` : `entry ${position}`}
          </Link>
          : choose what must be so, and what belongs together. It is shown over the last {daysBack} days, and
          starts nothing.
        </p>
      </Head>
      {error && <Trouble error={error} />}
      {data && <Builder event={data} />}
    </div>
  );
}

function Builder({ event: { event } }: { readonly event: EventView }) {
  const { fields } = route.useSearch();
  const navigate = route.useNavigate();
  const picks = useMemo(() => readPicks(fields, event as unknown as Json), [fields, event]);
  const [count, setCount] = useState(1);
  const condition = useMemo(() => conditionOf(event.type, picks, count), [event.type, picks, count]);
  const code = conditionCode(condition, codeWidth) ?? "";
  const simulation = useQuery({
    queryKey: ["simulation", condition],
    queryFn: () => simulate(condition),
    staleTime: 60_000,
    retry: false,
  });
  const change = (next: readonly Pick[]): void =>
    void navigate({
      search: ({ fields: _old, ...rest }) => ({
        ...rest,
        ...(next.length === 0 ? {} : { fields: writePicks(next) }),
      }),
      replace: true,
    });
  const { specversion: _version, ...members } = event as unknown as { readonly [name: string]: Json };
  return (
    <div className="split open builder">
      <div className="parts scrolls padded">
        <section>
          <h2>The condition</h2>
          <ul className="picks">
            <li>
              <span>an event of the type</span> <strong>{event.type}</strong>
            </li>
            {picks.map((pick) => (
              <Picked
                key={pick.path.join("/")}
                pick={pick}
                onChange={(how) => change(picks.map((one) => (one === pick ? { ...one, how } : one)))}
                onRemove={() => change(picks.filter((one) => one !== pick))}
              />
            ))}
          </ul>
          <label className="inline">
            how many make a run{" "}
            <input
              className="field"
              type="number"
              min={1}
              max={10_000}
              value={count}
              onChange={({ target }) => setCount(Math.max(1, Math.floor(target.valueAsNumber || 1)))}
            />
          </label>
        </section>
        <section>
          <h2>For a pipeline's file</h2>
          <Code
            text={`import { on, pipeline } from "millrace";

export const next = pipeline(
  "next",
  {
    on: ${code.replaceAll("\n", "\n    ")},
  },
  ({ firing }) => {
    // …
  },
);`}
          />
        </section>
        {simulation.error && <Trouble error={simulation.error} />}
        {simulation.data ? (
          <SimulationResult simulated={simulation.data} />
        ) : (
          !simulation.error && <p className="quiet">Telling the log again…</p>
        )}
      </div>
      <aside aria-label="The example">
        <h3>The example</h3>
        <p className="quiet">A click on a value makes it a part of the condition.</p>
        {Object.entries(members)
          .filter(([name]) => name !== "type" && name !== "id" && name !== "time")
          .map(([name, value]) => (
            <FilterTree
              key={name}
              name={name}
              value={value}
              path={
                name === "subject" || name === "source" || name === "data" ? [name] : ["attributes", name]
              }
              title="Ask for this"
              isPicked={(path) => picks.some((pick) => pick.path.join("/") === path.join("/"))}
              onPick={(path, picked) => {
                const known = picks.filter((pick) => pick.path.join("/") !== path.join("/"));
                change(known.length < picks.length ? known : [...picks, { path, value: picked, how: "eq" }]);
              }}
            />
          ))}
      </aside>
    </div>
  );
}

interface PickedProps {
  readonly pick: Pick;
  readonly onChange: (how: How) => void;
  readonly onRemove: () => void;
}

function Picked({ pick: { path, value, how }, onChange, onRemove }: PickedProps) {
  const name = path.join(".");
  const text = JSON.stringify(value);
  return (
    <li>
      <code>{name}</code>
      <select
        className="field"
        aria-label={`what must be so of ${name}`}
        value={how}
        onChange={({ target }) => onChange(target.value as How)}
      >
        <option value="eq">is {text}</option>
        {typeof value === "number" && <option value="gte">is {text} or more</option>}
        {typeof value === "number" && <option value="lte">is {text} or less</option>}
        <option value="exists">is there</option>
        {value !== null && <option value="key">is the key: each value for itself</option>}
      </select>
      <button type="button" className="fold link" aria-label={`without ${name}`} onClick={onRemove}>
        ✕
      </button>
    </li>
  );
}

/** `data.country:eq,data.order:key`, with paths as JSON where they need it. */
function writePicks(picks: readonly Pick[]): string {
  return picks
    .map(({ path, how }) => `${how}:${path.map((step) => encodeURIComponent(step)).join("/")}`)
    .join(",");
}

function readPicks(fields: string | undefined, event: Json): readonly Pick[] {
  return (fields ?? "").split(",").flatMap((part) => {
    const [how = "", text = ""] = part.split(":");
    if (!["eq", "gte", "lte", "exists", "key"].includes(how) || text === "") return [];
    const steps = text.split("/").map(decoded);
    const value = valueAt(event, steps[0] === "attributes" ? steps.slice(1) : steps);
    if (value === undefined || (value !== null && typeof value === "object")) return [];
    return [{ path: steps, value, how: how as How }];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function valueAt(value: Json | undefined, [step, ...rest]: readonly string[]): Json | undefined {
  if (step === undefined) return value;
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, step)) return undefined;
  return valueAt((value as { readonly [name: string]: Json })[step], rest);
}

function conditionOf(type: string, picks: readonly Pick[], count: number): Condition {
  const tests = picks.flatMap((pick): Where[] => testOf(pick));
  const key = picks.find(({ how }) => how === "key");
  const [only] = tests;
  const where: Where | undefined = tests.length < 2 ? only : { op: "and", of: tests };
  const by = key === undefined ? {} : { by: { kind: "path" as const, path: key.path.map(String) } };
  const event = { kind: "event" as const, type, ...(where === undefined ? {} : { where }) };
  if (count === 1) return { ...event, ...by };
  return { kind: "count", n: count, of: event, ...by };
}

function testOf({ path, value, how }: Pick): Where[] {
  const steps = path.map(String);
  switch (how) {
    case "eq":
      return [{ op: "eq", path: steps, value }];
    case "exists":
      return [{ op: "exists", path: steps, value: true }];
    case "key":
      return [];
    default:
      return typeof value === "number" ? [{ op: how, path: steps, value }] : [];
  }
}

async function simulate(condition: Condition): Promise<Simulated> {
  const to = Date.now();
  const from = to - daysBack * dayMs;
  const request: SimulateRequest = {
    trigger: { condition: condition as unknown as Json },
    since: new Date(from).toISOString(),
    limit: firingsMax,
  };
  const response = await post("/triggers/simulate", request);
  return { response, real: undefined, from, to, changed: undefined };
}
