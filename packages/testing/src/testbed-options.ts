/** What a test gives to a testbed, and gets from it. */
import { MillraceError, type CatchUp, type Duration } from "@millrace/core";
import type { MillraceConfig } from "@millrace/sdk";
import { requireMembers } from "./member-names.ts";
import type { TestRun } from "./test-run.ts";

export interface TestbedOptions {
  /** Where the virtual clock begins: 2026-01-01T00:00:00Z unless given. */
  readonly now?: Date | string | number;
  /** The project's `millrace.config.ts`, for its pools and queues. */
  readonly config?: Partial<MillraceConfig>;
  /** Pools and their slots; they win over the configuration's. A pool that is not named has one slot. */
  readonly pools?: { readonly [name: string]: number };
  /** Access data by name, as `MILLRACE_CONNECTION_<NAME>` holds them on a worker: a URL, or a JSON object as text. */
  readonly connections?: { readonly [name: string]: string };
  /** Secrets of webhooks, by the names of the variables that a server would have them in. */
  readonly secrets?: { readonly [name: string]: string };
  /** Of the jitter of retries: 1 unless given. Equal seeds give equal tests. */
  readonly seed?: number;
  /** How long a task's function may take in real time before the test is told that it hangs: `"5s"` unless given. */
  readonly hang?: Duration;
}

const optionNames = [
  "now",
  "config",
  "pools",
  "connections",
  "secrets",
  "seed",
  "hang",
] as const satisfies (keyof TestbedOptions)[];

/** Throws MILLRACE_OPTION_INVALID. */
export function requireOptions(options: TestbedOptions): TestbedOptions {
  requireMembers(options, optionNames, { what: "What a testbed is told", code: "MILLRACE_OPTION_INVALID" });
  for (const [pool, slots] of Object.entries(options.pools ?? {})) {
    if (Number.isInteger(slots) && slots >= 0) continue;
    throw new MillraceError("MILLRACE_OPTION_INVALID", {
      message: `The testbed's pool ${JSON.stringify(pool)} has ${JSON.stringify(slots)} slots: expected a whole number.`,
      fields: { pool },
    });
  }
  return options;
}

/** Throws MILLRACE_OPTION_INVALID. */
export function requireStartOptions(options: StartOptions): StartOptions {
  return requireMembers(options, ["partition"], {
    what: "How a run is started",
    code: "MILLRACE_OPTION_INVALID",
  });
}

/** What a pipeline's parameters are where a test starts it. */
export type StartArguments<In> = [In] extends [void]
  ? [params?: undefined, options?: StartOptions]
  : undefined extends In
    ? [params?: In, options?: StartOptions]
    : [params: In, options?: StartOptions];

export interface StartOptions {
  /** The key of the partition that the run is for: what a firing would tell it. */
  readonly partition?: string;
}

export interface ResumeOptions {
  /** Which firings of the pause begin: what the pipeline says, unless given. */
  readonly onResume?: CatchUp;
}

/** What became of an event. */
export interface TestReceipt {
  readonly position: number;
  /** An event of this source and id was in the log before, with the same content. */
  readonly isDuplicate: boolean;
  /** Why it fires nothing: where it does not fit the declaration of its type. */
  readonly invalid?: string;
}

/** A run that has not ended, and what it waits for. */
export interface Unfinished {
  readonly run: TestRun;
  readonly waitsFor: string;
}

/** The virtual clock. */
export interface TestClock {
  readonly now: Date;
  /** Moves it to an instant, and does what is due on the way. Throws MILLRACE_TEST_CLOCK: it can't go back. */
  to(instant: Date | string | number): Promise<void>;
  /** Moves it on by a span. */
  by(span: Duration): Promise<void>;
}
