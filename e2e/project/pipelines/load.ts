/** What runs while processes are killed: each task tells the ledger when it begins and when it ends. */
import { setTimeout } from "node:timers/promises";
import { on, pipeline, task, wait, type TaskContext } from "millrace";
import { note } from "../ledger.ts";

const env = ["E2E_LEDGER"];

function work(ms: number) {
  return async (input: number, ctx: TaskContext): Promise<number> => {
    note("start", ctx);
    await setTimeout(ms, undefined, { signal: ctx.signal });
    note("end", ctx);
    return input + 1;
  };
}

const first = task("first", { env }, work(2));
const second = task("second", { env }, work(10));
const third = task("third", { env, pool: "narrow" }, work(5));
const fourth = task("fourth", { env }, work(2));

/** 4 nodes. */
export const chain = pipeline("chain", () => fourth(third(second(first(0)))));

const list = task("list", { env }, (_: void, ctx) => {
  note("start", ctx);
  note("end", ctx);
  return [1, 2, 3, 4, 5];
});
const each = task("each", { env, concurrency: { key: "each", limit: 3 } }, work(5));
const sum = task("sum", { env }, (numbers: readonly number[], ctx: TaskContext) => {
  note("start", ctx);
  note("end", ctx);
  return numbers.reduce((total, one) => total + one, 0);
});

/** 7 task runs. */
export const fan = pipeline("fan", () => sum(each.map(list())));

const flaky = task(
  "flaky",
  { env, retries: { max: 2, delay: "20ms", backoff: "fixed" } },
  (input: number, ctx: TaskContext) => {
    note("start", ctx);
    if (ctx.attempt < 3) throw new Error(`attempt ${ctx.attempt} fails`);
    note("end", ctx);
    return input;
  },
);

/** 2 nodes, the first at its third attempt. */
export const retrying = pipeline("retrying", { maxActiveRuns: 5 }, () => fourth(flaky(1)));

/** 2 nodes, and a run of `chain`. */
export const calling = pipeline("calling", () => fourth(chain.call(undefined, { id: "called" })));

const tell = task("tell", { env }, (_: void, ctx) => {
  note("start", ctx);
  note("end", ctx);
  return ctx.run.id;
});

/** 3 nodes; the one between waits for an event of this very run. */
export const waiting = pipeline("waiting", () => {
  const go = wait(on.event("chaos.go", { where: { data: { run: tell() } } }), { id: "go" });
  fourth(1, { after: go });
});

const paces = task("paces", { env }, async (_: void, ctx) => {
  note("start", ctx);
  const one = await ctx.step("one", () => 1);
  await ctx.sleep("50ms");
  const go = ctx.waitFor(on.event("chaos.go", { where: { data: { run: ctx.run.id } } }));
  const [two] = await Promise.all([ctx.step("two", () => one + 1), go]);
  note("end", ctx);
  return two;
});

/** One task that records steps and waits in its code. */
export const stepping = pipeline("stepping", () => paces());

const long = task("long", { env }, work(1_500));
/** One task that takes a while, so that something can happen to it. */
export const lasting = pipeline("lasting", () => fourth(long(1)));
