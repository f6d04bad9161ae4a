/** The laws of a trigger's gate (K1 to K5), over random firings, ends of runs, and limits that change. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mergedMembersMax } from "../../src/limits.ts";
import {
  admitFiring,
  endGatedRun,
  foreseeGate,
  openGate,
  parsePolicy,
  type FiringPolicy,
  type Gate,
  type GatedFiring,
  type GateStep,
} from "../../src/trigger/policy.ts";

type Act =
  | { readonly kind: "fire"; readonly key: string; readonly members: number; readonly version: number }
  | { readonly kind: "end"; readonly which: number }
  /** The gate is forgotten and read from its rows, perhaps under another limit and policy. */
  | { readonly kind: "load"; readonly limit: number; readonly policy: FiringPolicy };

const policy = fc.constantFrom<FiringPolicy>("each", "coalesce", "latest");
const limit = fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("fire" as const),
      key: fc.constantFrom("", "a", "b"),
      members: fc.constantFrom(1, 3, 40_000),
      version: fc.constantFrom(1, 1, 1, 2),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("load" as const), limit, policy }) },
);

/** What became of every firing, as rows would say it. */
class World {
  gate: Gate<GatedFiring>;
  policy: FiringPolicy;
  readonly fired: GatedFiring[] = [];
  readonly fate = new Map<string, string>();
  readonly members = new Map<string, string[]>();
  readonly started: string[] = [];
  readonly ended = new Set<string>();

  constructor(first: FiringPolicy, slots: number) {
    this.policy = first;
    this.gate = { limit: slots, active: new Set(), waiting: [], hasMore: false };
  }

  do(next: Act): void {
    switch (next.kind) {
      case "fire": {
        const firing = { ...next, runId: `r${this.fired.length}` };
        this.fired.push(firing);
        this.members.set(firing.runId, [firing.runId]);
        return this.take(admitFiring(this.gate, this.policy, { ...firing }));
      }
      case "end": {
        const active = [...this.gate.active];
        const runId = active[next.which % Math.max(active.length, 1)];
        if (runId === undefined) return;
        this.ended.add(runId);
        return this.take(endGatedRun(this.gate, this.policy, runId));
      }
      case "load":
        this.policy = next.policy;
        this.gate = {
          limit: next.limit,
          active: new Set(this.gate.active),
          waiting: this.gate.waiting.map((one) => ({ ...one })),
          hasMore: false,
        };
        return this.take(openGate(this.gate, this.policy));
    }
  }

  take(steps: readonly GateStep<GatedFiring>[]): void {
    for (const step of steps) {
      const { runId } = step.firing;
      if (step.kind === "start") this.started.push(runId);
      // K3: nothing happens to what has started.
      if (this.fate.get(runId) === "start") throw new Error(`${runId} had started`);
      if (step.kind === "merge") {
        expect(this.fate.get(step.into.runId)).toBe("wait");
        expect([step.into.key, step.into.version]).toEqual([step.firing.key, step.firing.version]);
        this.members.get(step.into.runId)!.push(...this.members.get(runId)!);
      }
      this.fate.set(runId, step.kind);
    }
  }
}

test("every firing starts, waits, is merged or is superseded, and slots are never overrun", () => {
  fc.assert(
    fc.property(policy, limit, fc.array(act, { maxLength: 60 }), (first, slots, acts) => {
      const world = new World(first, slots);
      for (const next of acts) {
        const before = world.gate.active.size;
        world.do(next);
        const { gate, fate, fired } = world;
        // K1
        expect([...fate.keys()].toSorted()).toEqual(fired.map(({ runId }) => runId).toSorted());
        const waiting = fired.filter(({ runId }) => fate.get(runId) === "wait").map(({ runId }) => runId);
        expect(gate.waiting.map(({ runId }) => runId)).toEqual(waiting);
        // K4: a limit that fell lets none begin, and none is stopped.
        if (world.policy !== "each")
          expect(gate.active.size).toBeLessThanOrEqual(Math.max(gate.limit, before));
        // Nothing waits while there is room.
        if (waiting.length > 0)
          expect([world.policy, gate.active.size >= gate.limit]).not.toEqual(["each", expect.anything()]);
        if (waiting.length > 0) expect(gate.active.size).toBeGreaterThanOrEqual(gate.limit);
        // K5
        for (const { members } of gate.waiting) expect(members).toBeLessThanOrEqual(mergedMembersMax);
      }
    }),
  );
});

test("firings start in the order in which they came, and runs hold the members of all, in order, once", () => {
  fc.assert(
    fc.property(policy, limit, fc.array(act, { maxLength: 60 }), (first, slots, acts) => {
      const world = new World(first, slots);
      for (const next of acts) world.do(next);
      for (let at = 0; world.gate.waiting.length > 0; at += 1) world.do({ kind: "end", which: at });
      const number = (runId: string): number => Number(runId.slice(1));
      // K2
      expect(world.started.map(number)).toEqual(world.started.map(number).toSorted((a, b) => a - b));
      const held = world.started.flatMap((runId) => world.members.get(runId)!);
      for (const runId of world.started) {
        const members = world.members.get(runId)!.map(number);
        expect(members).toEqual(members.toSorted((a, b) => a - b));
      }
      const superseded = world.fired.filter(({ runId }) => world.fate.get(runId) === "supersede");
      expect([...held, ...superseded.map(({ runId }) => runId)].toSorted()).toEqual(
        world.fired.map(({ runId }) => runId).toSorted(),
      );
    }),
  );
});

test("a superseded firing has a later one of its key that starts", () => {
  fc.assert(
    fc.property(limit, fc.array(act, { maxLength: 60 }), (slots, acts) => {
      const world = new World("latest", slots);
      for (const next of acts) if (next.kind !== "load") world.do(next);
      while (world.gate.waiting.length > 0) world.do({ kind: "end", which: 0 });
      for (const [at, { runId, key }] of world.fired.entries())
        if (world.fate.get(runId) === "supersede")
          expect(
            world.fired.slice(at + 1).some((one) => one.key === key && world.fate.get(one.runId) === "start"),
          ).toBe(true);
    }),
  );
});

test("what waits beyond those at hand is not overtaken", () => {
  const gate: Gate<GatedFiring> = { limit: 1, active: new Set(), waiting: [], hasMore: true };
  const firing = { runId: "r", version: 1, key: "", members: 1 };
  expect(admitFiring(gate, "coalesce", firing)).toEqual([{ kind: "wait", firing }]);
});

test("a wrong policy is told with its place", () => {
  expect(() => parsePolicy("newest", ["trigger", "policy"])).toThrow(
    'The trigger is wrong at $.trigger.policy: expected each, coalesce or latest; found "newest".',
  );
});

test("what a gate would do is foreseen one firing after the other, for those that are asked about alone", () => {
  const firing = (runId: string): GatedFiring => ({ runId, version: 1, key: "", members: 1 });
  const gateOf = (): Gate<GatedFiring> => ({
    limit: 1,
    active: new Set(),
    waiting: [firing("r1")],
    hasMore: false,
  });
  const asked = ["r2", "r3", "r4"].map(firing);
  const foreseen = (how: FiringPolicy): unknown[] => {
    const outcomes = foreseeGate(gateOf(), how, asked);
    return asked.map((one) => outcomes.get(one));
  };
  // The one that waits starts first, as there is room.
  expect(foreseen("coalesce")).toEqual(["waits", "merged", "merged"]);
  expect(foreseen("latest")).toEqual(["superseded", "superseded", "waits"]);
  expect(foreseen("each")).toEqual(["starts", "starts", "starts"]);
});
