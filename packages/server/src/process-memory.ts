/**
 * What V8 keeps after bursts, bounded for a process whose bursts come rarely: pages of the young generation, and emptied pages that it
 * pools without end (`docs/design/speed.md`, "What a burst leaves in memory").
 */
import { Session } from "node:inspector/promises";
import { performance, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { type Alarm, type Clock, systemClock } from "./engine/clock.ts";

const megabyte = 1_048_576;

/** Both halves. Smaller ones let more of a burst survive into the old generation, and are collected more often. */
const youngMax = 32 * megabyte;

const calm = {
  /** How often the process looks whether it is calm, in ms. */
  everyMs: 10_000,
  /** Share of the time since the last look that the event loop worked. */
  utilizationMax: 0.05,
  /** Kept beyond what was kept at the beginning, or after the collection before: less is not worth a pause. */
  keptMin: 48 * megabyte,
  /** A collection of all stops the process for about 3 ms a megabyte that is held. */
  heldMax: 256 * megabyte,
};

/** For this process: the first until it ends, the second until it is stopped. `everyMs` is how often it looks whether it is calm. */
export function boundProcessMemory(clock: Clock = systemClock, everyMs = calm.everyMs): { stop(): void } {
  boundYoungGeneration();
  return collectWhenCalm(clock, everyMs);
}

/**
 * V8 takes `--max-semi-space-size` at its start only; by which factor the generation grows is read each time that it does. The garbage
 * collector itself tells when to look.
 */
function boundYoungGeneration(): void {
  let grows = true;
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    const may = (young?.space_size ?? 0) < youngMax;
    if (may === grows) return;
    // It may have shrunk while nothing was to be done.
    grows = may;
    setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ["gc"] });
}

/** Only a collection for want of memory empties V8's pool: it is asked for once a burst is over. */
function collectWhenCalm(clock: Clock, everyMs: number): { stop(): void } {
  let seen = performance.eventLoopUtilization();
  let atRest = memory().kept;
  const look = async (): Promise<void> => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, seen);
    seen = now;
    if (utilization > calm.utilizationMax) return;
    const { kept, held } = memory();
    if (kept - atRest < calm.keptMin || held > calm.heldMax) return;
    await collectAll();
    atRest = memory().kept;
  };
  let alarm: Alarm;
  const wait = (): void => {
    alarm = clock.after(everyMs, () => {
      wait();
      void look();
    });
  };
  wait();
  return { stop: () => alarm.cancel() };
}

/** Bytes of the process that no object holds, and those that objects hold. */
function memory(): { readonly kept: number; readonly held: number } {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { kept: rss - heapUsed - external, held: heapUsed + external };
}

async function collectAll(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}
