/** Which runs are shown: all of it stands in the address. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { runStates } from "@millrace/core";
import type { RunState } from "@millrace/protocol";
import { stateWord } from "../../parts/state.tsx";
import { clockText } from "../../parts/time-text.ts";
import { instantOf, wallClock } from "../../parts/zone.ts";

export interface RunSearch {
  readonly pipeline?: string;
  readonly state?: string;
  readonly label?: string;
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly order?: string;
}

interface FiltersProps {
  readonly search: RunSearch;
  /** What is the empty text is left out. */
  readonly onChange: (search: RunSearch) => void;
  readonly children?: ReactNode;
}

const hour = 3_600_000;
const spans = [
  [hour, "the last hour"],
  [24 * hour, "the last day"],
  [7 * 24 * hour, "the last week"],
] as const;
const beginnings = [
  ["trigger", "by a trigger"],
  ["person", "by a person or program"],
  ["call", "by another run"],
] as const;

export function Filters({ search, onChange, children }: FiltersProps) {
  const { pipeline, state, label, by, since, until, order } = search;
  const set = (part: RunSearch): void => onChange({ ...search, ...part });
  const hasTime = since !== undefined || until !== undefined;
  return (
    <div className="filters">
      <select
        className="field"
        aria-label="state"
        value={state ?? ""}
        onChange={({ target }) => set({ state: target.value })}
      >
        <option value="">any state</option>
        {runStates.map((one) => (
          <option key={one} value={one}>
            {stateWord(one)}
          </option>
        ))}
      </select>
      <TextFilter
        name="pipeline"
        hint="pipeline  /"
        value={pipeline}
        isFirst
        onChange={(text) => set({ pipeline: text })}
      />
      <TextFilter
        name="label"
        hint="label, as team:data"
        value={label}
        onChange={(text) => set({ label: text })}
      />
      <select
        className="field"
        aria-label="begun by"
        value={by ?? ""}
        onChange={({ target }) => set({ by: target.value })}
      >
        <option value="">begun by anybody</option>
        {beginnings.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <select
        className="field"
        aria-label="time"
        value={hasTime ? "between" : ""}
        onChange={({ target: { value } }) =>
          set(
            value === ""
              ? { since: "", until: "" }
              : { since: new Date(Date.now() - Number(value)).toISOString(), until: "" },
          )
        }
      >
        <option value="">at any time</option>
        {spans.map(([ms, text]) => (
          <option key={ms} value={ms}>
            {text}
          </option>
        ))}
        {hasTime && <option value="between">from … to …</option>}
      </select>
      {hasTime && (
        <>
          <TimeFilter name="since" value={since} onChange={(text) => set({ since: text })} />
          <TimeFilter name="until" value={until} onChange={(text) => set({ until: text })} />
        </>
      )}
      <select
        className="field"
        aria-label="order"
        value={order ?? ""}
        onChange={({ target }) => set({ order: target.value })}
      >
        <option value="">newest first</option>
        <option value="oldest">oldest first</option>
      </select>
      {Object.keys(search).length > 0 && (
        <Link to="/runs" search={{}}>
          all runs
        </Link>
      )}
      {children}
    </div>
  );
}

interface TextFilterProps {
  readonly name: string;
  readonly hint: string;
  readonly value: string | undefined;
  readonly isFirst?: true;
  readonly onChange: (text: string) => void;
}

function TextFilter({ name, hint, value = "", isFirst, onChange }: TextFilterProps) {
  return (
    <input
      className="field"
      {...(isFirst ? { "data-filter": "" } : {})}
      aria-label={name}
      placeholder={hint}
      defaultValue={value}
      key={value}
      onKeyDown={({ key, currentTarget }) => {
        if (key === "Enter") onChange(currentTarget.value.trim());
      }}
    />
  );
}

/** A wall time of the chosen zone, to the minute. */
function TimeFilter({ name, value, onChange }: Omit<TextFilterProps, "hint" | "isFirst">) {
  const at = value === undefined ? Number.NaN : Date.parse(value);
  const shown = Number.isNaN(at) ? "" : wallClock(at).toISOString().slice(0, 16);
  return (
    <input
      className="field"
      type="datetime-local"
      aria-label={name}
      defaultValue={shown}
      key={shown}
      onBlur={({ target }) => {
        if (target.value === shown) return;
        const wall = Date.parse(`${target.value}:00Z`);
        onChange(Number.isNaN(wall) ? "" : new Date(instantOf(wall)).toISOString());
      }}
      onKeyDown={({ key, currentTarget }) => {
        if (key === "Enter") currentTarget.blur();
      }}
    />
  );
}

/** `Those of orders that failed, newest first.` */
export function filterText({ pipeline, state, label, by, since, until, order }: RunSearch): string {
  const now = Date.now();
  const parts = [
    pipeline === undefined ? undefined : `of ${pipeline}`,
    state === undefined ? undefined : `that are ${stateWord(state as RunState)}`,
    label === undefined ? undefined : `with the label ${label}`,
    by === undefined ? undefined : `begun ${beginnings.find(([value]) => value === by)?.[1] ?? by}`,
    since === undefined ? undefined : `since ${timeText(since, now)}`,
    until === undefined ? undefined : `until ${timeText(until, now)}`,
  ].filter((part) => part !== undefined);
  const first = order === "oldest" ? "oldest first" : "newest first";
  return parts.length === 0 ? `All of them, ${first}.` : `Those ${parts.join(", ")}, ${first}.`;
}

function timeText(text: string, now: number): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? text : clockText(at, now);
}
