/** Atoms of conditions that listen to probes. */
import type { Json } from "../json.ts";
import { probeChangedType, type AtomProbe } from "../probe/probe.ts";
import { operandsOf, type Condition, type EventAtom } from "./condition.ts";

/** The atom that listens to a thing. */
export function probeAtom(probe: AtomProbe): EventAtom {
  return { kind: "event", type: probeChangedType, probe };
}

/** The probes that a condition listens to. */
export function probesWithin(condition: Condition): AtomProbe[] {
  const own = condition.kind === "event" && condition.probe ? [condition.probe] : [];
  return [...own, ...operandsOf(condition).flatMap(probesWithin)];
}

/** The JSON of a condition whose atoms of probes have this token; the same JSON where it has none. */
export function withProbeToken(json: Json, token: string): Json {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map((item: Json) => withProbeToken(item, token));
  const fields = json as { readonly [name: string]: Json };
  const { probe } = fields;
  if (fields["kind"] === "event" && probe !== null && typeof probe === "object" && !Array.isArray(probe))
    return { ...fields, probe: { ...(probe as { readonly [name: string]: Json }), token } };
  const changed: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(fields))
    changed[name] =
      name === "of" || name === "until" || name === "after" ? withProbeToken(value, token) : value;
  return changed;
}
