/** Tasks that do what tasks should not do, one pipeline each: the node is called `task`. */
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { pipeline, task, type TaskContext } from "millrace";
import { note } from "../ledger.ts";

const env = ["E2E_LEDGER"];
const megabyte = 1024 * 1024;

const printer = task("task", async (input: { megabytes: number }) => {
  const line = `${"x".repeat(1_023)}\n`.repeat(64);
  for (let written = 0; written < input.megabytes * megabyte; written += line.length) {
    if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
  return "printed";
});
export const printsMuch = pipeline("prints-much", () => printer({ megabytes: 40 }));
export const printsVeryMuch = pipeline("prints-very-much", () => printer({ megabytes: 1_024 }));

const returner = task("task", { queue: "roomy" }, (input: { megabytes: number }) =>
  "y".repeat(input.megabytes * megabyte),
);
const measure = task("measure", { queue: "roomy" }, (text: string) => text.length);
export const returnsMuch = pipeline("returns-much", () => measure(returner({ megabytes: 50 })));
export const returnsTooMuch = pipeline("returns-too-much", () => returner({ megabytes: 65 }));

const bigInt = task("task", (): { rows: { count: number }[] } => ({
  rows: [{ count: 1 }, { count: 2n as unknown as number }],
}));
export const returnsBigInt = pipeline("returns-bigint", () => bigInt());

// It would write to the ledger for ever, if nobody ended it.
const forker = task("task", { env }, (_: void, ctx) => {
  note("start", ctx);
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  return child.pid ?? 0;
});
export const forks = pipeline("forks", () => forker());

const deaf = task("task", { env, timeout: "300ms" }, async (_: void, ctx: TaskContext) => {
  process.on("SIGTERM", () => {});
  note("start", ctx);
  await wait(600_000);
});
export const ignoresSignals = pipeline("ignores-signals", () => {
  deaf();
});

const blocker = task("task", { env, timeout: "300ms" }, (_: void, ctx) => {
  note("start", ctx);
  for (;;);
});
export const blocks = pipeline("blocks", () => blocker());

const exiter = task("task", (): number => process.exit(3));
export const exits = pipeline("exits", () => exiter());

const thrower = task("task", (): number => {
  // oxlint-disable-next-line typescript/only-throw-error -- that is the fault
  throw { code: 42 };
});
export const throwsNoError = pipeline("throws-no-error", () => thrower());

const allocator = task("task", (): number => {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
});
export const allocates = pipeline("allocates", () => allocator());

const nativeAllocator = task("task", async (): Promise<number> => {
  const kept: Uint8Array[] = [];
  for (;;) {
    kept.push(new Uint8Array(16 * megabyte).fill(1));
    await wait(1);
  }
});
export const allocatesOutside = pipeline("allocates-outside", () => nativeAllocator());

const timer = task("task", () => {
  setInterval(() => {}, 1_000);
  return "left a timer";
});
export const leavesTimer = pipeline("leaves-timer", () => timer());

const rejector = task("task", async () => {
  void Promise.reject(new Error("nobody listens"));
  await wait(50);
  return "went on";
});
export const rejectsUnheard = pipeline("rejects-unheard", () => rejector());

const fine = task("task", () => process.pid);
export const worksWell = pipeline("works-well", () => fine());
