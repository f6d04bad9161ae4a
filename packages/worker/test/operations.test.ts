/** Random functions of steps and waits, run with any interleaving of ends and kills on a server that is played by hand. */
import { unreachable, type Json } from "@millrace/core";
import type { StepName } from "@millrace/protocol";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Operations, type OperationsHost, type StepEnd } from "../src/child/operations.ts";
import type { LocalRecord, ProducedStep, ProducedWait } from "../src/pool/child-message.ts";

type Program =
  | { readonly kind: "step" | "wait"; readonly name: string; readonly fails: boolean; readonly delay: number }
  | { readonly kind: "seq" | "all" | "race" | "any"; readonly of: readonly Program[] };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const keyOf = ({ name, occurrence }: StepName): string => `${name}/${occurrence}`;

/** What a run's choices draw from: numbers that a seed gives. */
class Choices {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  below(max: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * max);
  }
}

/** The server's side of one task run. */
class TaskRun {
  readonly records: LocalRecord[] = [];
  readonly waits = new Map<string, ProducedWait>();
  /** Ended since the last hand-over: they get their place in the order with the next one. */
  readonly endedWaits: { readonly wait: ProducedWait; readonly outcome: LocalRecord["outcome"] }[] = [];
  readonly effects = new Map<string, number>();
  /** Steps that took effect and whose process was killed before their record. */
  readonly excused = new Map<string, number>();
  readonly choices: Choices;
  readonly killsMax: number;
  kills = 0;
  dispatches = 0;
  #values = 0;

  constructor(seed: number, killsMax: number) {
    this.choices = new Choices(seed);
    this.killsMax = killsMax;
  }

  nextValue(): number {
    return (this.#values += 1);
  }

  has(step: StepName): boolean {
    return this.records.some((record) => keyOf(record) === keyOf(step));
  }

  append(kind: LocalRecord["kind"], { name, occurrence }: StepName, outcome: LocalRecord["outcome"]): void {
    if (this.has({ name, occurrence })) return;
    this.records.push({ seq: this.records.length + 1, kind, name, occurrence, outcome });
  }

  /** One of those that were registered, if there is one. */
  endSomeWait(): void {
    const wait = [...this.waits.values()][this.choices.below(this.waits.size)];
    if (!wait) return;
    this.waits.delete(keyOf(wait));
    const fate = this.choices.below(5);
    const error = { name: "Error", message: "ended badly" };
    const outcome: LocalRecord["outcome"] =
      fate === 0
        ? { kind: "timeout" }
        : fate === 1
          ? { kind: "error", error }
          : { kind: "value", value: { value: this.nextValue() } };
    this.endedWaits.push({ wait, outcome });
  }

  /** A wait that ended while a dispatch ran comes after all that this dispatch recorded. */
  handOver(): LocalRecord[] {
    this.dispatches += 1;
    for (const { wait, outcome } of this.endedWaits.splice(0)) this.append("wait", wait, outcome);
    return [...this.records];
  }
}

/** One dispatch: gives the function's result, or nothing when it was suspended or killed. */
async function dispatch(run: TaskRun, program: Program): Promise<{ readonly result: string } | undefined> {
  const { choices } = run;
  const inFlight: ProducedStep[] = [];
  const unacknowledged: StepName[] = [];
  let delaying = 0;
  let suspended: readonly ProducedWait[] | undefined;
  const host: OperationsHost = {
    beginsSteps: true,
    keepsRecords: false,
    post: (step) => inFlight.push(step),
    read: (value) => ("value" in value ? value.value : null),
    nextTurn: (callback) => setImmediate(callback),
    later: (_ms, callback) => setImmediate(callback),
    now: () => 0,
    isQuiet: () => delaying === 0,
    isEmitting: () => false,
    suspend: (waits) => {
      suspended = waits;
    },
    warn: () => {},
    wentOn: () => {},
    repeats: () => {},
  };
  const operations = new Operations(run.handOver(), host);
  let result: string | undefined;
  const isDead = { yes: false };
  const pause = async (turns: number): Promise<void> => {
    delaying += 1;
    for (let left = turns; left > 0; left -= 1) await turn();
    delaying -= 1;
  };
  const end = (given: string): void =>
    operations.functionEnded(() => {
      result = given;
    });
  void execute(program, { run, operations, pause, isDead }).then(end, (error: Error) =>
    end(`!${error.message}`),
  );

  for (let turns = 0; ; turns += 1) {
    if (turns > 5_000) throw new Error("it does not end");
    await turn();
    if (result !== undefined) return { result };
    if (suspended) break;
    const choice = choices.below(10);
    if (choice < 4) {
      const step = inFlight.shift();
      if (step) {
        run.append("step", step, step.outcome);
        unacknowledged.push(step);
      }
    } else if (choice < 8)
      operations.recorded(unacknowledged.splice(choices.below(unacknowledged.length), 1 + choices.below(3)));
    else if (choice < 9) run.endSomeWait();
    else if (run.kills < run.killsMax && choices.below(4) === 0) {
      run.kills += 1;
      operations.stop();
      isDead.yes = true;
      for (const [key, count] of run.effects) {
        const [name, occurrence] = key.split("/") as [string, string];
        if (!run.has({ name, occurrence: Number(occurrence) })) run.excused.set(key, count);
      }
      return undefined;
    }
  }
  run.waits.clear();
  for (const wait of suspended) run.waits.set(keyOf(wait), wait);
  for (const { wait } of run.endedWaits) run.waits.delete(keyOf(wait));
  expect(run.waits.size + run.endedWaits.length).toBeGreaterThan(0);
  while (run.endedWaits.length === 0 || choices.below(3) === 0) {
    if (run.waits.size === 0) break;
    run.endSomeWait();
  }
  return undefined;
}

interface Machine {
  readonly run: TaskRun;
  readonly operations: Operations;
  readonly pause: (turns: number) => Promise<void>;
  readonly isDead: { yes: boolean };
}

async function execute(program: Program, machine: Machine): Promise<string> {
  const branches = (): Promise<string>[] =>
    "of" in program ? program.of.map(async (one) => execute(one, machine)) : [];
  switch (program.kind) {
    case "seq": {
      const results: string[] = [];
      for (const one of program.of)
        results.push(await execute(one, machine).catch((error: Error) => `!${error.message}`));
      return `(${results.join(" ")})`;
    }
    case "all":
      return `all(${(await Promise.all(branches())).join(" ")})`;
    case "race":
      return `race(${await Promise.race(branches())})`;
    case "any":
      return `any(${await Promise.any(branches())})`;
    case "wait":
    case "step":
      return executeLeaf(program, machine);
    default:
      return unreachable(program);
  }
}

async function executeLeaf(
  program: Extract<Program, { readonly name: string }>,
  { run, operations, pause, isDead }: Machine,
): Promise<string> {
  const { name } = program;
  if (program.delay > 0) await pause(run.choices.below(program.delay));
  if (program.kind === "wait") {
    const answer = await operations.wait(name, new Error(), { kind: "sleep", ms: 1 });
    return `${name}:${answer === undefined ? "timeout" : JSON.stringify(answer)}`;
  }
  const value = await operations.step(name, new Error(), async ({ occurrence }): Promise<StepEnd> => {
    for (let left = run.choices.below(6); left > 0; left -= 1) await turn();
    // A process that was killed has no effects any more.
    if (isDead.yes) return new Promise(() => {});
    run.effects.set(`${name}/${occurrence}`, (run.effects.get(`${name}/${occurrence}`) ?? 0) + 1);
    const given: Json = run.nextValue();
    const error = { name: "Error", message: `failed ${given}` };
    return program.fails
      ? { kind: "error", error, step: { name, occurrence, outcome: { kind: "error", error } } }
      : {
          kind: "value",
          value: given,
          step: { name, occurrence, outcome: { kind: "value", value: { value: given } } },
        };
  });
  return `${name}:${JSON.stringify(value)}`;
}

/** `delays`: with work of its own before it asks; the names are all different then, for which comes first is chance. */
function programs(delays: boolean): fc.Arbitrary<Program> {
  const leaf = fc.record({
    kind: fc.constantFrom("step" as const, "step" as const, "wait" as const),
    name: fc.constantFrom("a", "b", "c"),
    fails: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    delay: delays ? fc.integer({ min: 0, max: 6 }) : fc.constant(0),
  });
  const { tree } = fc.letrec<{ tree: Program; leaf: Program; node: Program }>((tie) => ({
    leaf,
    tree: fc.oneof({ depthSize: "small", maxDepth: 4 }, tie("leaf"), tie("node")),
    node: fc.record({
      kind: fc.constantFrom("seq" as const, "all" as const, "race" as const, "any" as const),
      of: fc.array(tie("tree"), { minLength: 1, maxLength: 4 }),
    }),
  }));
  return tree.map((program) => (delays ? renamed(program, { count: 0 }) : kindInName(program)));
}

function renamed(program: Program, names: { count: number }): Program {
  if ("of" in program) return { ...program, of: program.of.map((one) => renamed(one, names)) };
  names.count += 1;
  return { ...program, name: `n${names.count}` };
}

/** One name is of one kind, as in code that keeps to the rules. */
function kindInName(program: Program): Program {
  if ("of" in program) return { ...program, of: program.of.map(kindInName) };
  return { ...program, name: `${program.kind}-${program.name}` };
}

async function check(program: Program, seed: number, killsMax: number): Promise<void> {
  const run = new TaskRun(seed, killsMax);
  let end: { readonly result: string } | undefined;
  while (!end) {
    if (run.dispatches > 200) throw new Error("it is handed over again and again");
    end = await dispatch(run, program);
  }
  for (const [key, count] of run.effects)
    expect(count - (run.excused.get(key) ?? 0), key).toBeLessThanOrEqual(1);
  // Whoever reads the records from the first to the last comes to the same end, and repeats no step.
  const recorded = new Map(run.effects);
  const isRecorded = (key: string): boolean => run.records.some((record) => keyOf(record) === key);
  const again = new TaskRun(seed + 1, 0);
  again.records.push(...run.records);
  expect(await dispatch(again, program)).toEqual(end);
  for (const key of again.effects.keys()) expect(isRecorded(key) && recorded.has(key), key).toBe(false);
}

const seeds = fc.nat({ max: 2 ** 31 });

test("any interleaving of ends and kills gives one result, and each step takes effect once unless a kill came before its record", async () => {
  await fc.assert(fc.asyncProperty(programs(false), seeds, fc.integer({ min: 0, max: 4 }), check), {
    numRuns: process.env["MILLRACE_TEST_LONG"] ? 20_000 : 2_000,
  });
});

test("what the function does beside its steps and waits changes nothing of their order", async () => {
  await fc.assert(fc.asyncProperty(programs(true), seeds, fc.integer({ min: 0, max: 4 }), check), {
    numRuns: process.env["MILLRACE_TEST_LONG"] ? 20_000 : 2_000,
  });
});
