/** What runs do: data flow, fan-outs, rules, retries, calls, waits, limits. */
import {
  branch,
  Fatal,
  on,
  pipeline,
  RetryAfter,
  shortCircuit,
  Skip,
  task,
  wait,
  when,
  type TaskContext,
} from "millrace";
import { z } from "zod";

const list = task("list", (count: number) => Array.from({ length: count }, (_, index) => index));
const double = task("double", (n: number) => n * 2);
const sum = task("sum", (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0));
const fussy = task("fussy", (n: number) => {
  if (n === 1) throw new TypeError("not one");
  return n;
});
const settledStates = task("settled", (items: readonly { status: string }[]) =>
  items.map(({ status }) => status),
);

export const mapped = pipeline(
  "mapped",
  { params: z.object({ count: z.number().default(3) }) },
  ({ params }) => sum(double.map(list(params.count))),
);
export const partly = pipeline("partly", () => {
  const strict = fussy.map([0, 1, 2], { id: "strict" });
  sum(strict);
  return settledStates(fussy.map([0, 1, 2], { id: "lenient", settled: true }));
});

const weigh = task("weigh", (kilos: number) => {
  if (kilos < 0) throw new Error("a parcel weighs something");
  return kilos;
});
const carrier = branch("carrier", { choices: ["bike", "van"] }, (kilos: number) =>
  kilos <= 10 ? "bike" : "van",
);
const ride = task("ride", () => "bike");
const drive = task("drive", () => "van");
const isHeavy = shortCircuit("is-heavy", (kilos: number) => kilos > 100);
const crane = task("crane", () => "crane");
const deliver = task("deliver", (way: { bike: string | null; van: string | null }) => way.bike ?? way.van);
const apologise = task("apologise", () => "sorry");
const close = task("close", () => "closed");

export const delivery = pipeline("delivery", { params: z.object({ kilos: z.number() }) }, ({ params }) => {
  const parcel = weigh(params.kilos);
  const choice = carrier(parcel);
  const bike = when(choice, "bike", () => ride());
  const van = when(choice, "van", () => drive());
  const delivered = deliver({ bike, van }, { rule: "none_failed_min_one_success" });
  crane(undefined, { after: isHeavy(parcel) });
  apologise(undefined, { after: [parcel, delivered], rule: "one_failed" });
  close(undefined, { after: delivered, rule: "all_done" });
  return delivered;
});

const open = task("open", () => "folder");
const fill = task("fill", (input: { folder: string; breaks: boolean }) => {
  if (input.breaks) throw new Error("no power");
  return "full";
});
const remove = task("remove", (folder: string) => `${folder} is gone`);
export const scratch = pipeline("scratch", { params: z.object({ breaks: z.boolean() }) }, ({ params }) => {
  const folder = open();
  const filled = fill({ folder, breaks: params.breaks });
  remove(folder, { teardown: folder });
  return filled;
});

const failsTwice = task(
  "fails-twice",
  { retries: { max: 3, delay: "50ms", backoff: "fixed" } },
  (_input: void, ctx) => {
    if (ctx.attempt < 3) throw new Error(`attempt ${ctx.attempt}`);
    return ctx.attempt;
  },
);
const waitsForOther = task("waits-for-other", { retries: 1 }, (_input: void, ctx) => {
  if (ctx.attempt === 1) throw new RetryAfter("50ms", "busy");
  return ctx.attempt;
});
const fatal = task("fatal", { retries: 5 }, () => {
  throw new Fatal("closed");
});
const skips = task("skips", () => {
  throw new Skip("nothing to do");
});
const notJson = task("not-json", () => ({ at: 5n }) as unknown as { at: number });
const timesOut = task("times-out", { timeout: "300ms" }, async (_input: void, ctx: TaskContext) => {
  await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
});
export const failures = pipeline("failures", () => {
  const ended = [failsTwice(), waitsForOther(), fatal(), skips(), notJson(), timesOut()];
  return close(undefined, { after: ended, rule: "all_done" });
});

const badKey = task(
  "bad-key",
  { concurrency: { key: (input: { at: { x: number } }) => input.at, limit: 1 } },
  (input: { at: { x: number } }) => input.at.x,
);
export const refused = pipeline("refused", () => badKey({ at: { x: 1 } }));

export const callee = pipeline("callee", { params: z.object({ n: z.number().default(20) }) }, ({ params }) =>
  fussy(params.n),
);
export const caller = pipeline("caller", () => ({
  one: callee.call({ n: 5 }),
  other: callee.call({}, { id: "default" }),
}));
export const brokenCaller = pipeline("broken-caller", () => callee.call({ n: 1 }));

const about = task("about", (_input: { x: number }, ctx) => ({
  node: ctx.node,
  item: ctx.item,
  index: ctx.index ?? null,
  attempt: ctx.attempt,
  dispatch: ctx.dispatch,
  run: ctx.run,
  key: ctx.idempotencyKey,
  params: ctx.params as { n: number },
}));
export const told = pipeline(
  "told",
  { params: z.object({ n: z.number().default(1) }).transform(({ n }) => ({ n: n + 1 })) },
  () => ({ one: about({ x: 1 }), many: about.map([{ x: 1 }, { x: 2 }], { id: "many" }) }),
);

const stamp = task(
  "stamp",
  { cache: { version: 1 } },
  (input: { n: number }, ctx) => `${input.n} ${ctx.run.id}`,
);
export const cached = pipeline("cached", () => stamp({ n: 1 }));

const work = task("work", { pool: "narrow" }, (n: number) => n);
export const single = pipeline("single", { on: on.event("single.go"), maxActiveRuns: 1 }, () =>
  work.map([1, 2, 3]),
);

const linger = task("linger", async (_input: void, ctx: TaskContext) => {
  await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
});
export const late = pipeline("late", { deadline: "1s" }, () => linger());

const place = task("place", (item: string) => `order-${item}`);
export const shop = pipeline("shop", { params: z.object({ item: z.string() }) }, ({ params }) => {
  const order = place(params.item);
  const paid = wait(on.event("shop.paid", { where: { subject: order } }), { id: "paid" });
  return { order, subject: paid.members["shop.paid"][0]!.subject };
});
export const patient = pipeline("patient", () => {
  const never = on.event("patient.never");
  wait(never, { id: "skipped", timeout: "300ms", onTimeout: "skip" });
  const went = wait(never, { id: "went-on", timeout: "300ms", onTimeout: "continue" });
  return close(undefined, {
    after: [went, wait(never, { id: "failed", timeout: "300ms" })],
    rule: "all_done",
  });
});

const follow = task("follow", async (order: string, ctx) => {
  const number = await ctx.step("number", () => 7);
  const paid = await ctx.waitFor(on.event("follow.paid", { where: { subject: order } }), { timeout: "1h" });
  await ctx.sleep("300ms");
  return { number, members: paid?.members["follow.paid"].length ?? 0 };
});
export const following = pipeline("following", { params: z.object({ order: z.string() }) }, ({ params }) =>
  follow(params.order),
);
const ask = task("ask", async (_input: void, ctx) => {
  const first = await ctx.waitFor(on.event("ask.never"), { timeout: "300ms" });
  return [first, await ctx.call(callee, { n: 5 })];
});
export const asking = pipeline("asking", () => ask());
