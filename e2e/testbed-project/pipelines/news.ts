/** What the log tells of runs, loops of triggers, queued runs, waits within fan-outs, and other deliveries. */
import { asset, monthly, on, pipeline, task, wait, webhook } from "millrace";
import { z } from "zod";

const see = task("see-news", (firing: { members: object }) =>
  Object.fromEntries(
    Object.entries(firing.members as { [name: string]: { type: string; subject: string | null }[] }).map(
      ([name, list]) => [name, list.map(({ type, subject }) => [type, subject])],
    ),
  ),
);
const pass = task("pass", (fails: boolean) => {
  if (fails) throw new Error("as asked");
  return "passed";
});

export const watched = pipeline(
  "watched",
  { params: z.object({ fails: z.boolean().default(false) }) },
  ({ params }) => pass(params.fails),
);
export const startWatcher = pipeline(
  "start-watcher",
  { on: on.event("millrace.run.started", { where: { subject: "watched" } }).as("starts") },
  ({ firing }) => see(firing),
);
export const endWatcher = pipeline("end-watcher", { on: on.finished(watched).as("ends") }, ({ firing }) =>
  see(firing),
);
export const nodeWatcher = pipeline(
  "node-watcher",
  { on: on.finished(watched, { node: "pass", states: ["succeeded", "failed"] }).as("nodes") },
  ({ firing }) => see(firing),
);

const ring = task("ring", async (to: string, ctx) => {
  await ctx.emit({ type: to });
  return to;
});
export const ping = pipeline("ping", { on: on.event("loop.ping"), loopLimit: 2 }, () => ring("loop.pong"));
export const pong = pipeline("pong", { on: on.event("loop.pong") }, () => ring("loop.ping"));

/** Of three runs one goes at a time; one that queues is cancelled. */
export const oneAtATime = pipeline("one-at-a-time", { maxActiveRuns: 1 }, () => {
  wait(on.event("one.release"), { id: "held" });
});

const names = task("names", () => ["a", "b", "c"]);
const paidFor = task("paid-for", (input: { id: string; name: string }) => `${input.name}: ${input.id}`);
const waitFor = task(
  "wait-for",
  { retries: { max: 1, delay: "50ms", backoff: "fixed" } },
  async (name: string, ctx) => {
    const found = await ctx.step("begin", () => `${name} begins`);
    const paid = await ctx.waitFor(on.event("item.paid", { where: { subject: name } }), { timeout: "10m" });
    if (name === "b" && ctx.attempt === 1) throw new Error("b fails first");
    return [found, paid?.members["item.paid"][0]?.id ?? null];
  },
);
export const items = pipeline("items", () => waitFor.map(names(), { id: "each" }));
export const lone = pipeline("lone", () => {
  const paid = wait(on.event("lone.paid", { where: { data: { amount: { gte: 5 } } } }), { id: "paid" });
  return paidFor({ id: paid.members["lone.paid"][0]!.id, name: "lone" });
});

export const months = asset("months", { partitions: monthly("2026-01-01") });
const write = task("write", { writes: months }, (key: string) => key);
/** Each of its runs updates what it listens to. */
export const monthLoop = pipeline("month-loop", { on: on.updated(months), loopLimit: 3 }, ({ partition }) =>
  write(partition.key),
);

export const slackHook = webhook("conform-slack", { verify: { kind: "slack", secret: "CONFORM_HUB" } });
export const openHook = webhook("conform-open", {
  verify: { kind: "none", insecure: true },
  type: '"open.came"',
  subject: "body.size",
  time: "body.at",
});
export const opened = pipeline(
  "opened",
  { on: on.any([on.event("open.came"), on.event("slack.command")]).as("deliveries") },
  ({ firing }) => see(firing),
);
