/**
 * Owns the steps of one attempt that its server has not recorded yet.
 *
 * S1 (W6): a step is kept until it is recorded, or until the attempt's result is acknowledged.
 * S2 (W7): steps leave in the order in which they ended, also when a large value takes its time to be stored.
 */
import type { StepName, Steps } from "@millrace/protocol";
import { limits } from "../limits.ts";

type Step = Steps["steps"][number];

interface Entry {
  readonly name: StepName;
  /** Absent while its value is being stored. */
  step: Step | undefined;
  isSent: boolean;
}

export class StepOutbox {
  readonly #entries: Entry[] = [];

  /** Takes the next place; what is given back fills it. */
  add(name: StepName): (step: Step) => void {
    const entry: Entry = { name, step: undefined, isSent: false };
    this.#entries.push(entry);
    return (step) => {
      entry.step = step;
    };
  }

  /** Those that may leave now, in frames; each once. */
  take(): Step[][] {
    const steps: Step[] = [];
    for (const entry of this.#entries) {
      if (!entry.step) break;
      if (!entry.isSent) steps.push(entry.step);
      entry.isSent = true;
    }
    return framesOf(steps);
  }

  /** After a reconnection: nobody knows what has arrived. */
  forgetSent(): void {
    for (const entry of this.#entries) entry.isSent = false;
  }

  recorded(steps: readonly StepName[]): void {
    for (const { name, occurrence } of steps) {
      const at = this.#entries.findIndex(
        (entry) => entry.name.name === name && entry.name.occurrence === occurrence,
      );
      if (at !== -1) this.#entries.splice(at, 1);
    }
  }
}

function framesOf(steps: readonly Step[]): Step[][] {
  const frames: Step[][] = [];
  for (let at = 0; at < steps.length; at += limits.stepsPerFrameMax)
    frames.push(steps.slice(at, at + limits.stepsPerFrameMax));
  return frames;
}
