/** What many ask for is made once (D1, D2), with a clock that is moved by hand. */
import { manualClock } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Coalesced } from "../../src/http/overview/coalesced.ts";

function clockByHand() {
  const clock = manualClock(0);
  return {
    monotonic: () => clock.now(),
    after: (delayMs: number, callback: () => void) => ({
      cancel: clock.schedule(clock.now() + delayMs, callback),
    }),
    move: (ms: number) => clock.advance(ms),
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test("those who ask while it is made get the next one, which is one for all, after a pause", async () => {
  const clock = clockByHand();
  const made: ((value: number) => void)[] = [];
  const one = new Coalesced(() => new Promise<number>((resolve) => made.push(resolve)), clock, 250);
  const first = one.ask();
  await turns();
  expect(made.length).toBe(1);
  const others = [one.ask(), one.ask()];
  await turns();
  expect(made.length).toBe(1);
  made[0]!(1);
  expect(await first).toBe(1);
  await turns();
  expect(made.length).toBe(1);
  clock.move(250);
  await turns();
  expect(made.length).toBe(2);
  made[1]!(2);
  expect(await Promise.all(others)).toEqual([2, 2]);
});

test("one that failed is told to those who asked for it, and the next is made", async () => {
  const clock = clockByHand();
  let count = 0;
  const one = new Coalesced(
    () => ((count += 1) === 1 ? Promise.reject(new Error("away")) : Promise.resolve(count)),
    clock,
    0,
  );
  await expect(one.ask()).rejects.toThrow("away");
  expect(await one.ask()).toBe(2);
});
