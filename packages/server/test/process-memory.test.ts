import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** What a process holds as its young generation after bursts whose objects live for a while, in MB. */
function youngMb(prelude: string): number {
  const code = `
    import { getHeapSpaceStatistics } from "node:v8";
    ${prelude}
    let kept = [];
    for (let turn = 0; turn < 60; turn += 1) {
      for (let at = 0; at < 50_000; at += 1) kept.push({ at, list: [at], text: "x" + at });
      if (kept.length > 100_000) kept = kept.slice(50_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
    console.log(young.space_size / 1_048_576);`;
  return Number(
    execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" }),
  );
}

test("bursts leave a young generation of bounded size", () => {
  const module = new URL("../src/process-memory.ts", import.meta.url).href;
  const bound = youngMb(
    `const { boundProcessMemory } = await import("${module}"); boundProcessMemory().stop();`,
  );
  expect(youngMb("")).toBeGreaterThan(64);
  // The growth under way when the bound is reached is its last.
  expect(bound).toBeLessThanOrEqual(64);
  expect(bound).toBeGreaterThanOrEqual(16);
});

test("pages that a burst needed are given back once it is over", () => {
  const module = new URL("../src/process-memory.ts", import.meta.url).href;
  const afterBurst = (prelude: string, turns: number): number =>
    Number(
      execFileSync(
        process.execPath,
        [
          "--input-type=module",
          "--eval",
          `${prelude}
          const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
          await rest(300);
          let kept = [];
          for (let turn = 0; turn < 60; turn += 1) {
            for (let at = 0; at < 50_000; at += 1) kept.push({ at, list: [at], text: "x" + at });
            if (kept.length > 100_000) kept = kept.slice(50_000);
            await new Promise((resolve) => setImmediate(resolve));
          }
          kept = [];
          const isSmall = () => process.memoryUsage.rss() < 100 * 1_048_576;
          for (let turn = 0; turn < ${turns} && !isSmall(); turn += 1) await rest(100);
          console.log(process.memoryUsage.rss() / 1_048_576);
          process.exit();`,
        ],
        { encoding: "utf8" },
      ),
    );
  const bound = afterBurst(
    `const { boundProcessMemory } = await import("${module}"); boundProcessMemory(undefined, 100);`,
    100,
  );
  expect(bound).toBeLessThan(afterBurst("", 10) - 48);
  expect(bound).toBeLessThan(120);
});
