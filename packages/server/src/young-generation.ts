/**
 * A bound for V8's young generation, whose pages a process keeps after its bursts: up to 3 × 64 MB (`docs/design/speed.md`).
 * V8 takes `--max-semi-space-size` at its start only; by which factor the generation grows is read each time that it does.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Both halves. Smaller ones let more of a burst survive into the old generation, and are collected more often. */
const bytesMax = 32 * 1_048_576;

/** For this process, from now on; the garbage collector itself tells when to look. */
export function boundYoungGeneration(): void {
  let grows = true;
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    const may = (young?.space_size ?? 0) < bytesMax;
    if (may === grows) return;
    // It may have shrunk while nothing was to be done.
    grows = may;
    setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ["gc"] });
}
