/** What happens after a failure. Every task here says by its attempt number how it behaves, so each run is the same. */
import { setTimeout } from "node:timers/promises";
import { Fatal, pipeline, RetryAfter, Skip, task } from "millrace";

class Busy extends Error {
  override readonly name = "Busy";
}

// Delays grow from 50 ms: 50, 100, 200 … and full jitter draws each evenly from zero to that. Only `Busy` is retried.
const fetchPrices = task(
  "fetch-prices",
  { retries: { max: 3, delay: "50ms", backoff: "exponential", maxDelay: "1s", on: [Busy] } },
  (_: void, ctx) => {
    if (ctx.attempt < 3) throw new Busy(`busy on attempt ${ctx.attempt}`);
    return { attempts: ctx.attempt };
  },
);

// An attempt that runs longer fails; `ctx.signal` is aborted, and what ignores it is killed soon after.
const slowAtFirst = task(
  "slow-at-first",
  { timeout: "500ms", retries: { max: 1, delay: "10ms", backoff: "fixed" } },
  async (_: void, ctx) => {
    if (ctx.attempt === 1) await setTimeout(60_000, undefined, { signal: ctx.signal });
    return { attempts: ctx.attempt };
  },
);

// The other system says when to come back. The policy still bounds how often.
const askLater = task("ask-later", { retries: 2 }, (_: void, ctx) => {
  if (ctx.attempt === 1) throw new RetryAfter("20ms", "429 Too Many Requests");
  return { attempts: ctx.attempt };
});

// Trying again would not help: no retry is made, whatever the policy.
const closedAccount = task("closed-account", { retries: 5 }, () => {
  throw new Fatal("the account is closed");
});

// Nothing to do is no failure.
const nothingNew = task("nothing-new", () => {
  throw new Skip("no new files");
});

const report = task("report", () => "three tasks came through");

export const retries = pipeline("retries", () => {
  const fatal = closedAccount();
  nothingNew();
  const ended = [fetchPrices(), slowAtFirst(), askLater()];
  // A run fails by its leaves. This one succeeds although the account is closed, because somebody looks at it.
  return report(undefined, { after: [...ended, fatal], rule: "all_done" });
});
