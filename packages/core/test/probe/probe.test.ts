/** The rules of `src/probe/decide.ts`, each by a case that can break it, and what conditions make of probes. */
import { expect, test } from "vitest";
import {
  compileCondition,
  decideLook,
  firstLookAt,
  isFresh,
  parseCondition,
  presentSubject,
  probeAtom,
  probeChangedType,
  probeEvent,
  probeId,
  probePresentType,
  unseenProbe,
  withProbeToken,
  type Json,
  type LookOutcome,
  type ProbeMemory,
  type SeenProbe,
} from "../../src/index.ts";

const definition = { everyMs: 1_000, jitterMs: 100, backoff: { factor: 2, maxMs: 6_000 } };
const failed: LookOutcome = { kind: "failed", error: { code: "MILLRACE_PROBE_FAILED", message: "gone" } };

function seen(value: Json, fingerprint?: string): LookOutcome {
  return { kind: "seen", value, ...(fingerprint === undefined ? {} : { fingerprint }) };
}

/** What was told at each look, a second apart. */
function tells(outcomes: readonly LookOutcome[]): string[] {
  let memory: ProbeMemory = unseenProbe;
  return outcomes.map((outcome, at) => {
    const decided = decideLook(memory, outcome, { definition, now: at * 1_000, random: 0 });
    ({ memory } = decided);
    return decided.tells.join("+");
  });
}

test("V1: a level is told once for each fingerprint, and again when it was gone; nothing is not told", () => {
  expect(tells([seen(null), seen("a"), seen("a"), seen("b"), seen(null), seen("b"), seen("b")])).toEqual([
    "",
    "changed",
    "",
    "changed",
    "",
    "changed",
    "",
  ]);
});

test("V1: an own fingerprint decides, and the order of members changes none", () => {
  expect(tells([seen({ at: 1 }, "x"), seen({ at: 2 }, "x"), seen({ at: 2 }, "y")])).toEqual([
    "changed",
    "",
    "changed",
  ]);
  expect(tells([seen({ a: 1, b: 2 }), seen({ b: 2, a: 1 })])).toEqual(["changed", ""]);
});

test("V2: a failure forgets nothing", () => {
  expect(tells([seen("a"), failed, seen("a"), failed, seen("b")])).toEqual([
    "changed",
    "failed",
    "recovered",
    "failed",
    "recovered+changed",
  ]);
});

test("V3: failures are told at powers of two, and looks come later up to the bound", () => {
  expect(tells(Array.from({ length: 9 }, () => failed)).map((told) => told !== "")).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((failures) => [1, 2, 4, 8].includes(failures)),
  );
  let memory: ProbeMemory = unseenProbe;
  const delays = Array.from({ length: 4 }, () => {
    const decided = decideLook(memory, failed, { definition, now: 0, random: 0.5 });
    ({ memory } = decided);
    return decided.nextAt;
  });
  expect(delays).toEqual([2_050, 4_050, 6_050, 6_050]);
});

test("a value counts for whoever comes as long as it is younger than the time between two looks", () => {
  const { memory } = decideLook(unseenProbe, seen("a"), { definition, now: 5_000, random: 0 });
  expect(isFresh(memory, definition, 6_000)).toBe(true);
  expect(isFresh(memory, definition, 6_001)).toBe(false);
  expect(firstLookAt(memory, definition, 5_500)).toBe(6_000);
  expect(firstLookAt(memory, definition, 9_000)).toBe(9_000);
  expect(firstLookAt(unseenProbe, definition, 1)).toBe(1);
  const { memory: failing } = decideLook(memory, failed, { definition, now: 5_500, random: 0 });
  expect(isFresh(failing, definition, 5_600)).toBe(false);
});

test("a thing has one id, whatever the order of its arguments", () => {
  expect(probeId({ name: "p", args: { a: 1, b: 2 } })).toBe(probeId({ name: "p", args: { b: 2, a: 1 } }));
  expect(probeId({ name: "p", args: { a: 1 } })).not.toBe(probeId({ name: "p", args: { a: 2 } }));
  expect(probeId({ name: "p", args: null })).toBe("p");
});

function event(type: string, subject: string) {
  const at = Date.UTC(2026, 0, 1);
  return {
    position: 1,
    recordedAt: at,
    source: "millrace",
    id: "1",
    type,
    subject,
    time: at,
    data: null,
    lane: "live",
  };
}

test("an atom of a probe matches changes of its own thing, and with a token what was there for this wait alone", () => {
  const ref = { name: "report", args: { day: "mon" } };
  const given = { kind: "all", of: [probeAtom(ref), { kind: "event", type: "x" }] } as unknown as Json;
  const matched = (json: Json, type: string, subject: string): boolean =>
    compileCondition(parseCondition(json)).keysOf(event(type, subject)).length > 0;
  const token = withProbeToken(given, "ab");
  for (const json of [given, token]) {
    expect(matched(json, probeChangedType, probeId(ref))).toBe(true);
    expect(matched(json, probeChangedType, probeId({ ...ref, args: null }))).toBe(false);
    expect(matched(json, probePresentType, presentSubject(ref, "cd"))).toBe(false);
  }
  expect(matched(given, probePresentType, presentSubject(ref, "ab"))).toBe(false);
  expect(matched(token, probePresentType, presentSubject(ref, "ab"))).toBe(true);
});

test.each([
  [{ kind: "event", type: "x", probe: { name: "p", args: null } }, "probe"],
  [{ kind: "event", type: probeChangedType, probe: { name: "p" } }, "args"],
  [{ kind: "event", type: probeChangedType, probe: { name: "a/b", args: null } }, "name"],
  [{ kind: "event", type: probeChangedType, probe: { name: "p", args: "x".repeat(5_000) } }, "characters"],
  [{ kind: "event", type: probeChangedType, probe: { name: "p", args: null, more: 1 } }, "more"],
])("%j is no condition", (json, what) => {
  expect(() => parseCondition(json as Json)).toThrow(what);
});

test("a thing that was forgotten counts anew, and its events are others than those of before", () => {
  const idsAt = (start: number): string[] => {
    let seenProbe: SeenProbe = { ...unseenProbe, name: "report", args: null, nextAt: undefined };
    return [seen("a"), failed, seen("b")].flatMap((outcome, at) => {
      const {
        memory,
        nextAt,
        tells: told,
      } = decideLook(seenProbe, outcome, {
        definition,
        now: start + at * 1_000,
        random: 0,
      });
      seenProbe = { ...seenProbe, ...memory, nextAt };
      return told.map((kind) => probeEvent(seenProbe, kind).id);
    });
  };
  expect(idsAt(0)).toEqual(idsAt(0.5));
  expect(new Set([...idsAt(0), ...idsAt(86_400_000)]).size).toBe(8);
});
