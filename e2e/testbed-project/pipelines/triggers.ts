/** A pipeline for each operator of conditions, and for what follows from firings. */
import { asset, daily, on, pipeline, task } from "millrace";
import { z } from "zod";

const see = task("see", (firing: { key: string | null; revision: number; members: object }) => ({
  key: firing.key,
  revision: firing.revision,
  operands: Object.keys(firing.members),
}));

export const filtered = pipeline(
  "filtered",
  { on: on.event("filtered.paid", { where: { data: { amount: { gte: 100 } } } }).as("orders") },
  ({ firing }) => see(firing),
);

export const prefixed = pipeline("prefixed", { on: on.event("prefixed.*").as("all") }, ({ firing }) =>
  see(firing),
);

export const joined = pipeline(
  "joined",
  {
    on: on
      .all([on.event("joined.paid").as("paid"), on.event("joined.shipped").as("shipped")], { within: "30d" })
      .by("data.order"),
  },
  ({ firing }) => see(firing),
);

export const either = pipeline(
  "either",
  { on: on.any([on.event("either.price"), on.event("either.stock")]).as("changes") },
  ({ firing }) => see(firing),
);

export const quorum = pipeline(
  "quorum",
  { on: on.atLeast(2, [on.event("quorum.a"), on.event("quorum.b"), on.event("quorum.c")]) },
  ({ firing }) => see(firing),
);

export const inOrder = pipeline(
  "in-order",
  { on: on.sequence([on.event("in-order.opened"), on.event("in-order.closed")], { within: "5m" }) },
  ({ firing }) => see(firing),
);

export const unlessFrozen = pipeline(
  "unless-frozen",
  { on: on.unless(on.event("unless.asked"), on.event("unless.frozen"), { within: "1d" }) },
  ({ firing }) => see(firing),
);

export const unanswered = pipeline(
  "unanswered",
  {
    on: on
      .absent(on.event("unanswered.paid"), { within: "2s", after: on.event("unanswered.sent") })
      .by("data.invoice"),
  },
  ({ firing }) => see(firing),
);

export const thirds = pipeline(
  "thirds",
  { on: on.count(on.event("thirds.failed"), 3, { within: "10m" }).by("subject") },
  ({ firing }) => see(firing),
);

export const batched = pipeline(
  "batched",
  { on: on.batch(on.event("batched.row").as("rows"), { max: 3, maxWait: "2s" }) },
  ({ firing }) => see(firing),
);

export const visited = pipeline(
  "visited",
  { on: on.session(on.event("visited.page").as("pages"), { gap: "2s", max: "1h" }).by("subject") },
  ({ firing }) => see(firing),
);

export const rebuilt = pipeline(
  "rebuilt",
  { on: on.debounce(on.event("rebuilt.source").as("changes"), { quiet: "2s", maxWait: "1m" }) },
  ({ firing }) => see(firing),
);

export const throttled = pipeline(
  "throttled",
  { on: on.throttle(on.event("throttled.alarm").as("alarms"), { limit: 1, per: "2s" }) },
  ({ firing }) => see(firing),
);

export const hourly = pipeline(
  "hourly",
  {
    on: on.window(on.event("hourly.reading").as("readings"), {
      every: "1h",
      time: "time",
      lateness: "10m",
      late: "revise",
    }),
  },
  ({ firing }) => see(firing),
);

/** No run can begin: its parameter has no default. */
export const wanting = pipeline(
  "wanting",
  { on: on.event("wanting.go"), params: z.object({ day: z.string() }) },
  ({ firing }) => see(firing),
);

const tell = task("tell", async (input: { kind: string }, ctx) => {
  await ctx.emit({ type: "chain.told", subject: input.kind, data: { kind: input.kind } });
  if (input.kind === "bad") throw new Error("after all");
  return input.kind;
});
const tellFirst = task("first-operand", (members: readonly { data: unknown }[]) =>
  members.map(({ data }) => data),
);

export const chain = pipeline("chain", { params: z.object({ kind: z.string() }) }, ({ params }) =>
  tell({ kind: params.kind }),
);
export const chained = pipeline("chained", { on: on.event("chain.told").as("told") }, ({ firing }) =>
  tellFirst(firing.members.told),
);
export const alarmed = pipeline(
  "alarmed",
  {
    on: on
      .any([
        on.event("millrace.run.failed", { where: { subject: "chain" } }),
        on.event("millrace.node.failed", { where: { subject: { prefix: "chain/" } } }),
      ])
      .as("failures"),
  },
  ({ firing }) => see(firing),
);

export const landing = asset("landing", { partitions: daily("2026-01-01") });
export const clean = asset("clean", { partitions: daily("2026-01-01"), upstream: [landing] });
const tidy = task("tidy", { writes: clean }, (day: string) => day);
export const tidied = pipeline("tidied", { on: on.updated(landing) }, ({ partition }) => tidy(partition.key));
const count = task("count", (run: { key: string; revision: number }) => run);
export const counted = pipeline(
  "counted",
  { on: on.reached(clean, { from: "2026-01-01T00:00:00Z", late: { debounce: "1s" } }) },
  ({ partition, firing }) => count({ key: partition.key, revision: firing.revision }),
);
