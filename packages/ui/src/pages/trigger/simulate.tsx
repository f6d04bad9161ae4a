/** The condition, as it is or changed, over the recorded past, beside what really fired: before it is deployed. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Json } from "@millrace/core";
import type { SimulateRequest, TriggerDetail } from "@millrace/protocol";
import { ApiError, get, post } from "../../api/client.ts";
import { Code } from "../../parts/code.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { conditionCode } from "./condition-code.ts";
import { ParameterFields } from "./parameter-fields.tsx";
import { changedTrigger, fieldAt, FieldError, parametersOf, type Entered } from "./parameters.ts";
import { SimulationResult } from "./simulation-result.tsx";
import { firingsMax, type Simulated } from "./simulated.ts";
import "../../styles/trigger.css";

const route = getRouteApi("/triggers/$pipeline");
const dayMs = 86_400_000;
const spans = ["1", "7", "30", "90"];

/** What the address holds: what was entered in fields, or the trigger as it was written. */
interface Changes {
  readonly fields?: Entered;
  readonly text?: string;
}

export function Simulate({ trigger }: { readonly trigger: TriggerDetail }) {
  const { days = "7", set } = route.useSearch();
  const navigate = route.useNavigate();
  const { pipeline, definition } = trigger;
  const parameters = useMemo(() => parametersOf(definition), [definition]);
  const asked = useMemo(() => readChanges(set), [set]);
  const [entered, setEntered] = useState<Entered>(asked?.fields ?? {});
  const [text, setText] = useState(asked?.text);
  const [wrong, setWrong] = useState<FieldError>();
  const simulation = useQuery({
    queryKey: ["simulation", pipeline, days, set],
    queryFn: ({ signal }) => {
      const changed = asked && changedOf(asked, definition, parameters);
      return simulate(pipeline, Number(days), changed, signal);
    },
    enabled: set !== undefined,
    staleTime: Infinity,
    retry: false,
  });
  const { data, error, isFetching } = simulation;
  const field =
    wrong?.field ??
    (error instanceof ApiError && text === undefined ? fieldAt(parameters, pathOf(error)) : undefined);

  function submit(): void {
    setWrong(undefined);
    const changes: Changes = text === undefined ? { fields: entered } : { text };
    try {
      changedOf(changes, definition, parameters);
    } catch (fault) {
      if (!(fault instanceof FieldError)) throw fault;
      setWrong(fault);
      return;
    }
    const next = addressOf(changes);
    if (next === set) void simulation.refetch();
    else void navigate({ search: (before) => ({ ...before, set: next }), replace: true });
  }

  return (
    <div className="parts scrolls stacked">
      <form
        className="simulation"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {text === undefined ? (
          <ParameterFields
            parameters={parameters}
            entered={entered}
            onChange={setEntered}
            wrong={field}
            message={wrong?.message ?? error?.message}
          />
        ) : (
          <label className="whole">
            <span className="quiet">The trigger as data</span>
            <textarea
              className="field mono tall"
              aria-label="the trigger as JSON"
              aria-invalid={wrong !== undefined}
              spellCheck={false}
              rows={14}
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
            {wrong && (
              <small className="bad-text" role="alert">
                {wrong.message}
              </small>
            )}
          </label>
        )}
        <div className="filters">
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
          <button type="submit" className="button primary" disabled={isFetching}>
            {isFetching ? "Telling the log again…" : "Simulate"}
          </button>
          <button
            type="button"
            className="button"
            onClick={() => setText(text === undefined ? written(definition, parameters, entered) : undefined)}
          >
            {text === undefined ? "As JSON" : "As fields"}
          </button>
          <button
            type="button"
            className="button"
            disabled={set === undefined && Object.keys(entered).length === 0 && text === undefined}
            onClick={() => {
              setEntered({});
              setText(undefined);
              setWrong(undefined);
              void navigate({ search: ({ set: _set, ...rest }) => rest, replace: true });
            }}
          >
            As it is deployed
          </button>
        </div>
      </form>
      {error && field === undefined && <Trouble error={error} />}
      {data && <SimulationResult simulated={data} pipeline={pipeline} />}
      {data?.changed !== undefined && <AsCode trigger={data.changed} />}
      {!data && !error && !isFetching && (
        <p className="quiet">
          The recorded events are told again to a trigger that has nothing yet. Nothing is started, and
          nothing is changed: what you find goes into the pipeline's file.
        </p>
      )}
    </div>
  );
}

function AsCode({ trigger }: { readonly trigger: Json }) {
  const { condition } = trigger as unknown as TriggerDetail["definition"];
  const code = useMemo(() => safely(() => conditionCode(condition)), [condition]);
  if (code === undefined) return null;
  return (
    <section>
      <h2>For the pipeline's file</h2>
      <Code text={`on: ${code},`} />
    </section>
  );
}

/** What was written by hand may be of any shape. */
function safely<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

async function simulate(
  pipeline: string,
  days: number,
  changed: Json | undefined,
  signal: AbortSignal,
): Promise<Simulated> {
  const to = Date.now();
  const from = to - days * dayMs;
  const request: SimulateRequest = {
    pipeline,
    since: new Date(from).toISOString(),
    limit: firingsMax,
    ...(changed === undefined ? {} : { trigger: changed as NonNullable<SimulateRequest["trigger"]> }),
  };
  const path = `/triggers/${encodeURIComponent(pipeline)}/firings` as const;
  const [response, real] = await Promise.all([
    post("/triggers/simulate", request),
    get(path, { limit: firingsMax }, signal),
  ]);
  return { response, real, from, to, changed };
}

function pathOf({ problem }: ApiError): string {
  const path = problem.fields?.["path"];
  return typeof path === "string" ? path : "";
}

const asWritten = "json:";

function addressOf({ fields = {}, text }: Changes): string {
  if (text !== undefined) return `${asWritten}${text}`;
  // Something stands in the address also where nothing is changed.
  return `?${new URLSearchParams(fields).toString()}`;
}

function readChanges(set: string | undefined): Changes | undefined {
  if (set === undefined) return undefined;
  if (set.startsWith(asWritten)) return { text: set.slice(asWritten.length) };
  return { fields: Object.fromEntries(new URLSearchParams(set.slice(1))) };
}

/** Nothing where it is as deployed. */
function changedOf(
  { fields, text }: Changes,
  definition: TriggerDetail["definition"],
  parameters: ReturnType<typeof parametersOf>,
): Json | undefined {
  if (text === undefined) {
    const changed = changedTrigger(definition, parameters, fields ?? {});
    return changed === (definition as unknown as Json) ? undefined : changed;
  }
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FieldError("text", `This is not JSON: ${why}`);
  }
}

function written(
  definition: TriggerDetail["definition"],
  parameters: ReturnType<typeof parametersOf>,
  entered: Entered,
): string {
  const changed = safely(() => changedTrigger(definition, parameters, entered));
  return JSON.stringify(changed ?? definition, undefined, 2);
}
