/** What the benchmarks run: tasks that do nothing, in the shapes that cost the engine most. */
import { appendFileSync } from "node:fs";
import { on, pipeline, task, wait, type Ref } from "millrace";

const pass = task("pass", async (value: number) => value + 1);
const light = task("light", async (value: number) => value * 2);
const list = task("list", async (count: number) => Array.from({ length: count }, (_, index) => index));
const sum = task("sum", async (values: readonly number[]) => values.reduce((a, b) => a + b, 0));

export const chain = pipeline("chain", () => {
  let value: Ref<number> | number = 0;
  for (let step = 0; step < 40; step += 1) value = pass(value, { id: `pass-${step}` });
});

const record = task("record", async (count: number, ctx) => {
  let value = 0;
  for (let at = 0; at < count; at += 1) value = await ctx.step("add", async () => value + 1);
  return value;
});

export const steps = pipeline("steps", () => {
  record(40);
});

export const fanout = pipeline("fanout", () => {
  sum(light.map(list(400)));
});

export const single = pipeline("single", () => {
  pass(1);
});

export const wide = pipeline("wide", () => {
  sum(light.map(list(10_000)));
});

/** Tells the outside what ran: one line per attempt, written before the task returns. */
const entered = task("entered", { env: ["MILLRACE_BENCH_LEDGER"] }, async (value: number, ctx) => {
  const { node, attempt } = ctx;
  const line = JSON.stringify({ runId: ctx.run.id, node, attempt, key: ctx.idempotencyKey });
  appendFileSync(process.env["MILLRACE_BENCH_LEDGER"]!, `${line}\n`);
  return value + 1;
});

export const recorded = pipeline("recorded", () => {
  let value: Ref<number> | number = 0;
  for (let step = 0; step < 20; step += 1) value = entered(value, { id: `entered-${step}` });
});

/** Tells the outside when it began. */
const notice = task(
  "notice",
  { env: ["MILLRACE_BENCH_LEDGER"] },
  async (events: readonly { data: { n: number } }[]) => {
    const at = performance.timeOrigin + performance.now();
    appendFileSync(
      process.env["MILLRACE_BENCH_LEDGER"]!,
      `${JSON.stringify({ n: events[0]!.data.n, at })}\n`,
    );
  },
);

export const noticed = pipeline(
  "noticed",
  { on: on.event<{ n: number }>("bench.noticed").as("events") },
  ({ firing }) => {
    notice(firing.members.events);
  },
);

/** A schema without a library, which every worker would load. */
const numbered = {
  "~standard": {
    version: 1,
    vendor: "bench",
    validate: (value: unknown) => ({ value: value as { n: number } }),
    types: undefined as { readonly input: { n: number }; readonly output: { n: number } } | undefined,
  },
  toJSONSchema: () => ({ type: "object", properties: { n: { type: "integer" } }, required: ["n"] }),
} as const;

export const sleeping = pipeline("sleeping", () => {
  wait(on.event("bench.never"), { timeout: "300d", onTimeout: "continue" });
});

export const yearly = pipeline("yearly", { on: on.cron("0 3 1 1 *") }, () => {
  pass(1);
});

export const waiting = pipeline("waiting", { params: numbered }, ({ params }) => {
  wait(on.event<{ n: number }>("bench.woken", { where: { data: { n: params.n } } }));
});
