import { approvals, approve, on, pipeline, task } from "millrace";
import { z } from "zod";

const count = task("count", (input: { day: string }) => ({ rows: input.day.length * 100 }));
const publish = task(
  "publish",
  (input: { day: string; by: string | null; copies: number }) =>
    `${input.day}: ${input.copies} copies, approved by ${input.by}`,
);

/** Asks before it publishes. A rejection skips what follows. */
export const report = pipeline("report", { params: z.object({ day: z.string() }) }, ({ params }) => {
  const totals = count({ day: params.day });
  const asked = approve({
    id: "release",
    title: "Publish the report?",
    details: { day: params.day, rows: totals.rows },
    by: ["ann", "bob"],
    form: z.object({
      copies: z.int().min(1).describe("how many to print"),
      colour: z.boolean().default(false),
    }),
    timeout: "2d",
  });
  return publish({ day: params.day, by: asked.by, copies: asked.form.copies });
});

const decide = task("decide", (input: { approved: boolean; timedOut: boolean; note: string | null }) =>
  input.timedOut ? "nobody answered" : input.approved ? "yes" : `no: ${input.note}`,
);

/** Goes on whatever is answered, or when nobody answers. */
export const poll = pipeline("poll", () => {
  const asked = approve({ title: "Now?", timeout: "1h", onReject: "continue", onTimeout: "continue" });
  return decide({ approved: asked.approved, timedOut: asked.timedOut, note: asked.note });
});

/** Asks for so short a time that nobody answers. */
export const hasty = pipeline("hasty", () => {
  const asked = approve({ title: "Quick?", timeout: "200ms", onReject: "continue", onTimeout: "continue" });
  return decide({ approved: asked.approved, timedOut: asked.timedOut, note: asked.note });
});

/** A rejection is a failure here. */
export const strict = pipeline("strict", () => {
  approve({ title: "Really?", onReject: "fail" });
});

/** Task code asks, too, and keeps neither process nor slot meanwhile. */
const ask = task("ask", async (input: { day: string }, ctx) => {
  const answer = await ctx.approve({
    title: `Send ${input.day}?`,
    form: z.object({ copies: z.int().min(1) }),
    timeout: "2d",
  });
  if (answer === null) return "nobody answered";
  return answer.approved ? `${answer.form.copies} copies, by ${answer.by}` : `${answer.by} said no`;
});
export const asking = pipeline("asking", { params: z.object({ day: z.string() }) }, ({ params }) =>
  ask({ day: params.day }),
);

const remind = task(
  "remind",
  (input: { title: string | null; run: string }) => `${input.title} waits in ${input.run}`,
);

/** Escalation: what nobody has answered in time is told to somebody else. */
export const escalate = pipeline(
  "escalate",
  {
    on: on
      .absent(on.event(approvals.answered), {
        after: on.event(approvals.requested, { where: { data: { pipeline: "report" } } }).as("asked"),
        within: "2s",
      })
      .by("subject"),
  },
  ({ firing }) => {
    const asked = firing.members.asked[0]!;
    return remind({ title: asked.data.title, run: asked.data.run });
  },
);
