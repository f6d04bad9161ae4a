/** `on.probe`: a change of what a probe looks at. */
import { canonicalJson, findJsonFault, formatPath, probeAtom, type Json } from "@millrace/core";
import type { Input } from "../input.ts";
import type { Probe, ProbeChange } from "../probe.ts";
import { isReference } from "../reference.ts";
import { markCaller, type SourceMark } from "../source.ts";
import type { FiredEvent } from "./firing.ts";
import { holeFor } from "./hole.ts";
import { make, wrong, type On } from "./made.ts";

type Changes<Args, Value> = {
  readonly probe: FiredEvent<"millrace.probe.changed" | "millrace.probe.present", ProbeChange<Args, Value>>;
};

/**
 * What a probe looks at is there, or is another than before. A wait counts what is there when it begins; a trigger fires once for
 * each change. In a graph, arguments may hold references. It is found in the firing under `probe`.
 *
 * @example
 * wait(on.probe(report, { day: params.day }), { timeout: "6h" })
 */
export function probed<Args, Value>(
  of: Probe<Args, Value>,
  ...[args]: [Args] extends [void] ? [] : [args: Input<Args>]
): On<Changes<Args, Value>, never, never, null> {
  const mark = markCaller(probed);
  const name: unknown = (of as { readonly name?: unknown } | null)?.name;
  if (typeof name !== "string" || name === "") throw wrong("`on.probe` takes a probe", mark);
  const json = withHoles(args ?? null);
  const fault = findJsonFault(json);
  if (fault)
    throw wrong(
      `the arguments of \`on.probe\` can't be carried by JSON: ${formatPath(fault.path)} is ${fault.found}`,
      mark,
    );
  return makeProbed({ name, args: JSON.parse(canonicalJson(json as Json)) as Json }, mark);
}

function makeProbed<Args, Value>(
  ref: { readonly name: string; readonly args: Json },
  mark: SourceMark,
): On<Changes<Args, Value>, never, never, null> {
  return make({ ...probeAtom(ref), name: "probe" }, mark);
}

/** References, which `wait` takes, become texts. */
function withHoles(value: unknown): unknown {
  if (isReference(value)) return holeFor(value);
  if (Array.isArray(value)) return value.map(withHoles);
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([name, part]) => [name, withHoles(part)]));
}
