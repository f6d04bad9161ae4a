import type { Steps } from "@millrace/core";
import type { Clock } from "../engine/clock.ts";
import { stepsMsMax } from "./limits.ts";

/** Works step by step, and lets whatever else is due here go first whenever it has worked for a few milliseconds. */
export async function inTurns<Result>(clock: Clock, steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const turnEndsAt = clock.monotonic() + stepsMsMax;
    do {
      const step = steps.next();
      if (step.done) return step.value;
    } while (clock.monotonic() < turnEndsAt);
    await new Promise<void>((resolve) => void clock.after(0, resolve));
  }
}
