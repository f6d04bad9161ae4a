import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { isMeasurable, processTree } from "./parts/processes.ts";

/** A process that has ended, and of which nobody has taken note yet, does nothing any more. */
function runs(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return !text.slice(text.lastIndexOf(")") + 2).startsWith("Z");
}

function commandOf(pid: number): string {
  return existsSync(`/proc/${pid}/cmdline`)
    ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
    : "";
}

test.runIf(isMeasurable)(
  "a benchmark that is killed leaves neither processes nor its folder",
  async () => {
    const bench = spawn(process.execPath, [fileURLToPath(new URL("./main.ts", import.meta.url)), "chain"], {
      stdio: "ignore",
    });
    const pid = bench.pid!;
    let tree: number[] = [];
    let folder = "";
    onTestFinished(() => {
      for (const one of tree) if (runs(one)) process.kill(one, "SIGKILL");
    });
    await expect
      .poll(() => {
        tree = processTree(pid);
        const commands = tree.map(commandOf);
        folder = commands.map((command) => / -D (\S+?)\/state\//.exec(command)?.[1]).find(Boolean) ?? folder;
        return [/bin\/postgres /, /server-process/, /worker-process/].map((part) =>
          commands.some((command) => part.test(command)),
        );
      })
      .toEqual([true, true, true]);
    expect(existsSync(folder)).toBe(true);
    bench.kill("SIGKILL");
    await once(bench, "exit");
    await expect.poll(() => tree.filter(runs).map(commandOf), { timeout: 40_000 }).toEqual([]);
    await expect.poll(() => existsSync(folder)).toBe(false);
  },
  90_000,
);
