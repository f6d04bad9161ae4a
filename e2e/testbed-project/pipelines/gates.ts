/** What becomes of firings while their pipeline has as many runs as it may; and what people and webhooks do. */
import { asset, daily, on, pipeline, shortCircuit, task, wait, webhook } from "millrace";
import { z } from "zod";

const tell = task(
  "tell-members",
  (firing: { key: string | null; revision: number; previousRun: string | null; members: object }) => ({
    key: firing.key,
    revision: firing.revision,
    hasPrevious: firing.previousRun !== null,
    members: Object.fromEntries(
      Object.entries(firing.members as { [operand: string]: { id: string }[] }).map(([name, list]) => [
        name,
        list.map(({ id }) => id),
      ]),
    ),
  }),
);

/** Holds its slot until it is released. */
const gated = (name: string, policy: "each" | "coalesce" | "latest", maxActiveRuns: number) =>
  pipeline(name, { on: on.event(`${name}.go`).as("goes"), policy, maxActiveRuns }, ({ firing }) => {
    const held = wait(on.event(`${name}.release`), { id: "held" });
    return tell(firing, { after: held });
  });

export const merging = gated("merging", "coalesce", 1);
export const newest = gated("newest", "latest", 1);
export const queueing = gated("queueing", "each", 1);
export const pair = gated("pair", "coalesce", 2);

export const keyedMerge = pipeline(
  "keyed-merge",
  {
    on: on.count(on.event("keyed-merge.go").as("goes"), 2).by("subject"),
    policy: "coalesce",
    maxActiveRuns: 1,
  },
  ({ firing }) => tell(firing, { after: wait(on.event("keyed-merge.release"), { id: "held" }) }),
);

/** A late event of a window revises it, also while its first run holds the slot. */
export const revised = pipeline(
  "revised",
  {
    on: on.window(on.event("revised.reading").as("readings"), {
      every: "1h",
      time: "time",
      lateness: "10m",
      late: "revise",
    }),
    policy: "latest",
    maxActiveRuns: 1,
  },
  ({ firing }) => tell(firing, { after: wait(on.event("revised.release"), { id: "held" }) }),
);

export const raw = asset("raw", { partitions: daily("2026-01-01") });
const note = task(
  "note",
  (run: { key: string; revision: number; incomplete: boolean; previousRun: string | null }) => ({
    key: run.key,
    revision: run.revision,
    incomplete: run.incomplete,
    hasPrevious: run.previousRun !== null,
  }),
);
/** Debounced revisions, two at most. */
export const days = pipeline(
  "days",
  {
    on: on.reached(raw, {
      from: "2026-01-01T00:00:00Z",
      late: { debounce: "1s", max: 2 },
    }),
  },
  ({ partition, firing }) =>
    note({
      key: partition.key,
      revision: firing.revision,
      incomplete: firing.incomplete,
      previousRun: firing.previousRun,
    }),
);
export const stalling = asset("stalling", { partitions: daily("2026-01-01") });
const dayMs = 86_400_000;
/** Yesterday, of which nothing has come. */
export const stalled = pipeline(
  "stalled",
  {
    on: on.reached(stalling, {
      from: new Date((Math.floor(Date.now() / dayMs) - 1) * dayMs).toISOString(),
      late: { debounce: "1s" },
      orAfter: "1s",
    }),
  },
  ({ partition, firing }) =>
    note({
      key: partition.key,
      revision: firing.revision,
      incomplete: firing.incomplete,
      previousRun: firing.previousRun,
    }),
);
const echo = task("echo", (key: string) => key);
export const byHand = pipeline("by-hand", { on: on.updated(raw) }, ({ partition }) => echo(partition.key));

export const paused = pipeline("pausing", { on: on.event("pausing.go").as("goes") }, ({ firing }) =>
  tell(firing),
);
export const pausedMerge = pipeline(
  "pausing-merge",
  { on: on.event("pausing-merge.go").as("goes"), policy: "coalesce", maxActiveRuns: 1 },
  ({ firing }) => tell(firing, { after: wait(on.event("pausing-merge.release"), { id: "held" }) }),
);

const isFine = shortCircuit("is-fine", (n: number) => n > 0);
const flaky = task("flaky", (_input: void, ctx): string => {
  throw new Error(`attempt ${ctx.attempt}`);
});
const before = task("before", () => 7);
const after = task("after", (input: { flaky: string; before: number }) => `${input.flaky} ${input.before}`);
export const broken = pipeline("broken", { params: z.object({ n: z.number().default(1) }) }, ({ params }) => {
  const fine = isFine(params.n);
  return after({ flaky: flaky(undefined, { after: fine }), before: before() });
});
export const stopped = pipeline("stopped", () => {
  const one = wait(on.event("stopped.never"), { id: "one" });
  const other = wait(on.event("stopped.never"), { id: "other" });
  return after({ flaky: "x", before: before(undefined, { after: [one, other], rule: "all_done" }) });
});

export const shopHook = webhook("conform-shop", {
  verify: { kind: "token", secret: "CONFORM_TOKEN" },
  type: '"hooked." + body.kind',
  subject: "string(body.order)",
  id: 'headers["x-delivery"]',
  accepts: ["application/json"],
});
export const hubHook = webhook("conform-hub", { verify: { kind: "github", secret: "CONFORM_HUB" } });
export const unreadyHook = webhook("conform-unready", {
  verify: { kind: "github", secret: "CONFORM_NOWHERE" },
});
export const delivered = pipeline(
  "delivered",
  { on: on.any([on.event("hooked.paid"), on.event("github.push")]).as("deliveries") },
  ({ firing }) => tell(firing),
);
