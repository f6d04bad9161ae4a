/** Waiting for what tells nothing by itself: here files of a partner, whose folder is `PROBES_FOLDER`. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { on, pipeline, probe, task, wait } from "millrace";
import { z } from "zod";

function pathOf(name: string): string {
  return join(process.env["PROBES_FOLDER"] ?? "data", name);
}

/** Whether a day's report is there: a version of it is one that has another time. */
export const report = probe(
  "report",
  { every: "200ms", env: ["PROBES_FOLDER"] },
  async ({ day }: { day: string }, { log }) => {
    const found = await stat(pathOf(`${day}.csv`)).catch(() => null);
    if (found) log.info("the report is there", { size: found.size });
    return found && { size: found.size, changed: found.mtime.toISOString() };
  },
);

const publish = task(
  "publish",
  (input: { day: string; size: number }) => `${input.day}: ${input.size} bytes`,
);

/** A node waits: no slot, no process, and however many runs wait for a day, it is looked at once. */
export const publishDay = pipeline("publish-day", { params: z.object({ day: z.string() }) }, ({ params }) => {
  const there = wait(on.probe(report, { day: params.day }), { id: "there", timeout: "6h" });
  return publish({ day: params.day, size: there.members.probe[0]!.data.value.size });
});

const follow = task("follow", async (input: { day: string }, ctx) => {
  const there = await ctx.waitFor(on.probe(report, { day: input.day }), { timeout: "6h" });
  return there?.members.probe[0]!.data.value.size;
});

/** The same in code. */
export const followDay = pipeline("follow-day", { params: z.object({ day: z.string() }) }, ({ params }) =>
  follow({ day: params.day }),
);

const crowd = task("crowd", (input: { day: string }) =>
  Array.from({ length: 50 }, () => ({ day: input.day })),
);

/** Fifty waits for one thing: one look at a time. */
export const followMany = pipeline("follow-many", { params: z.object({ day: z.string() }) }, ({ params }) =>
  follow.map(crowd({ day: params.day })),
);

/** Says why it can't look, is asked less often then, and tells when it can again. */
export const price = probe(
  "price",
  {
    every: "200ms",
    backoff: { factor: 2, max: "1s" },
    env: ["PROBES_FOLDER"],
    fingerprint: ({ price: now }) => now,
  },
  async () => JSON.parse(await readFile(pathOf("price.json"), "utf8")) as { price: number; at: string },
);

const note = task("note", (input: { price: number }) => input.price);

/** A run for each change of the price; that it was asked at another time is none. */
export const priceChanged = pipeline("price-changed", { on: on.probe(price) }, ({ firing }) =>
  note({ price: firing.members.probe[0]!.data.value.price }),
);
