/** A condition as the TypeScript that declares it; nothing where it names what only a project's own code can (assets, probes). */
import { unreachable } from "@millrace/core";
import type { Condition, EventKey, KeyDefinition, Schedule, Where } from "@millrace/core";

const indent = "  ";
const lineMax = 96;

export function conditionCode(condition: Condition, width = lineMax): string | undefined {
  const code = codeOf(condition);
  return code === undefined ? undefined : broken(code, width);
}

/** A call with its arguments, so that long ones can stand below each other. */
interface Call {
  readonly name: string;
  readonly of: readonly (Call | List | string)[];
  readonly after: string;
}
interface List {
  readonly items: readonly Call[];
}

function codeOf(condition: Condition): Call | undefined {
  const call = bare(condition);
  if (!call) return undefined;
  const name = condition.name === undefined ? "" : `.as(${quoted(condition.name)})`;
  return { ...call, after: `${call.after}${name}${condition.by === undefined ? "" : byCode(condition.by)}` };
}

function bare(condition: Condition): Call | undefined {
  switch (condition.kind) {
    case "event":
      if (condition.probe) return undefined;
      return call("event", [
        quoted(condition.type),
        ...(condition.where === undefined ? [] : [`{ where: ${whereCode(condition.where)} }`]),
      ]);
    case "schedule":
      return scheduleCode(condition.schedule);
    case "updated":
    case "reached":
      return undefined;
    case "all":
    case "any":
    case "sequence":
    case "at_least": {
      const items = condition.of.map(codeOf);
      if (items.includes(undefined)) return undefined;
      const within = "withinMs" in condition ? options({ within: span(condition.withinMs) }) : [];
      const list: List = { items: items.flatMap((item) => item ?? []) };
      return condition.kind === "at_least"
        ? call("atLeast", [String(condition.n), list, ...within])
        : call(condition.kind, [list, ...within]);
    }
    case "unless": {
      const [of, until] = [codeOf(condition.of), codeOf(condition.until)];
      return of && until && call("unless", [of, until, ...options({ within: span(condition.withinMs) })]);
    }
    default:
      return around(condition);
  }
}

type Around = Exclude<
  Condition,
  {
    kind: "event" | "schedule" | "updated" | "reached" | "all" | "any" | "sequence" | "at_least" | "unless";
  }
>;

/** What gathers matches of one condition. */
function around(condition: Around): Call | undefined {
  const of = codeOf(condition.of);
  if (!of) return undefined;
  switch (condition.kind) {
    case "absent": {
      const after = condition.after && codeOf(condition.after);
      if (condition.after && !after) return undefined;
      const given = { within: span(condition.withinMs), after: after && flat(after) };
      return call("absent", [of, ...options(given)]);
    }
    case "count":
      return call("count", [of, String(condition.n), ...options({ within: span(condition.withinMs) })]);
    case "batch":
      return call("batch", [
        of,
        ...options({ max: String(condition.max), maxWait: span(condition.maxWaitMs) }),
      ]);
    case "session":
      return call("session", [of, ...options({ gap: span(condition.gapMs), max: span(condition.maxMs) })]);
    case "debounce":
      return call("debounce", [
        of,
        ...options({ quiet: span(condition.quietMs), maxWait: span(condition.maxWaitMs) }),
      ]);
    case "throttle":
      return call("throttle", [
        of,
        ...options({ limit: String(condition.limit), per: span(condition.perMs) }),
      ]);
    case "window": {
      const { every, time, latenessMs, idleMs, late } = condition;
      if (every.kind !== "every") return undefined;
      const given = {
        every: quoted(everyText(every)),
        tz: zone(every.tz),
        time: time && keyCode(time),
        lateness: latenessMs === 0 ? undefined : span(latenessMs),
        idle: span(idleMs),
        late: late === "ignore" ? undefined : quoted(late),
      };
      return call("window", [of, ...options(given)]);
    }
    default:
      return unreachable(condition);
  }
}

function call(name: string, of: Call["of"]): Call {
  return { name: `on.${name}`, of, after: "" };
}

function options(given: { readonly [name: string]: string | undefined }): string[] {
  const parts = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}`,
  );
  return parts.length === 0 ? [] : [`{ ${parts.join(", ")} }`];
}

function scheduleCode(schedule: Schedule): Call | undefined {
  if (schedule.kind === "at")
    return call("at", [
      `[${schedule.instants.map((at) => quoted(new Date(at).toISOString())).join(", ")}]`,
      ...options({ jitter: span(schedule.jitterMs) }),
    ]);
  const { tz, jitterMs, calendar } = schedule;
  const common = {
    tz: zone(tz),
    jitter: span(jitterMs),
    calendar: calendar && literal(calendar),
  };
  if (schedule.kind === "cron") return call("cron", [quoted(schedule.expression), ...options(common)]);
  const { anchor } = schedule;
  return call("every", [
    quoted(everyText(schedule)),
    ...options({ ...common, anchor: anchor === undefined ? undefined : quoted(anchor) }),
  ]);
}

const unitLetters = {
  seconds: "s",
  minutes: "m",
  hours: "h",
  days: "d",
  weeks: "w",
  months: "mo",
  years: "y",
} as const;

export function everyText({ every: { n, unit } }: Extract<Schedule, { kind: "every" }>): string {
  return `${n}${unitLetters[unit]}`;
}

function zone(tz: string): string | undefined {
  return tz === "UTC" ? undefined : quoted(tz);
}

const spans = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** As authors write it: `90m` is `1h30m`. */
export function spanText(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of spans) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  return parts.length === 0 ? "0s" : parts.join("");
}

function span(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : quoted(spanText(ms));
}

function byCode(by: KeyDefinition): string {
  if (by.kind !== "operands") return `.by(${keyCode(by)})`;
  const parts = Object.entries(by.of).map(([name, key]) => `${memberName(name)}: ${keyCode(key)}`);
  return `.by({ ${parts.join(", ")} })`;
}

function keyCode(key: EventKey): string {
  return key.kind === "cel" ? `{ cel: ${quoted(key.text)} }` : quoted(key.path.join("."));
}

/** The filter as an object where it can be one, and else as CEL. */
export function whereCode(where: Where): string {
  if (where.op === "cel") return quoted(where.text);
  if (where.op === "not") return `{ not: ${whereCode(where.of)} }`;
  if (where.op === "or") return `{ anyOf: [${where.of.map(whereCode).join(", ")}] }`;
  const parts = where.op === "and" ? where.of : [where];
  const tree: { [name: string]: unknown } = {};
  const others: string[] = [];
  for (const part of parts) if (!put(tree, part)) others.push(whereCode(part));
  const own = Object.keys(tree).length === 0 ? [] : [literal(tree).slice(2, -2)];
  const rest = others.length === 0 ? [] : [`allOf: [${others.join(", ")}]`];
  return `{ ${[...own, ...rest].join(", ")} }`;
}

/** Whether the part has its place in an object of tests. */
function put(tree: { [name: string]: unknown }, part: Where): boolean {
  if ("of" in part || part.op === "cel") return false;
  let place = tree;
  for (const step of part.path.slice(0, -1)) {
    const below = (place[step] ??= {});
    if (typeof below !== "object" || below === null || "eq" in below) return false;
    place = below as { [name: string]: unknown };
  }
  const last = part.path.at(-1)!;
  const known = place[last];
  if (known === undefined) {
    place[last] = part.op === "eq" && isScalar(part.value) ? part.value : { [part.op]: part.value };
    return true;
  }
  if (typeof known !== "object" || known === null || part.op in known) return false;
  (known as { [name: string]: unknown })[part.op] = part.value;
  return true;
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (value === null || typeof value !== "object")
    return typeof value === "string" ? quoted(value) : String(value);
  const parts = Object.entries(value).map(([name, one]) => `${memberName(name)}: ${literal(one)}`);
  return `{ ${parts.join(", ")} }`;
}

function memberName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

// --- lines ----------------------------------------------------------------------------------------------------------

function flat(part: Call | List | string): string {
  if (typeof part === "string") return part;
  if ("items" in part) return `[${part.items.map(flat).join(", ")}]`;
  return `${part.name}(${part.of.map(flat).join(", ")})${part.after}`;
}

function broken(part: Call | List | string, width: number, depth = 0): string {
  const whole = flat(part);
  if (typeof part === "string" || whole.length + depth * indent.length <= width) return whole;
  const inner = indent.repeat(depth + 1);
  const lines = ("items" in part ? part.items : part.of).map(
    (one) => `${inner}${broken(one, width, depth + 1)},`,
  );
  const close = indent.repeat(depth);
  if ("items" in part) return `[\n${lines.join("\n")}\n${close}]`;
  return `${part.name}(\n${lines.join("\n")}\n${close})${part.after}`;
}
