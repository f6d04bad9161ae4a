import { emptyBatch, type FlushBatch } from "@millrace/store";
import { liveRun } from "@millrace/testkit";
import { expect, test } from "vitest";
import { siftBatch } from "../../src/engine/poison.ts";

const batch: FlushBatch = {
  ...emptyBatch(),
  runsCreated: ["a", "b", "c", "d", "e"].map((id) => liveRun(id, {})),
};

const names = ({ runsCreated }: FlushBatch): string => runsCreated.map(({ id }) => id).join("");

test("runs that are refused are found, and the others are taken together", async () => {
  const isTaken = async (part: FlushBatch): Promise<boolean> => !/[bd]/.test(names(part));
  const { good, refused, refusedRuns } = await siftBatch(batch, isTaken);
  expect([names(good), names(refused), [...refusedRuns]]).toEqual(["ace", "bd", ["b", "d"]]);
});

test("what is told to the owner of the log tells nothing of a run that is refused", async () => {
  const events = ["a", "b", undefined].map((runId) =>
    runId === undefined ? { id: "other" } : { id: `of ${runId}`, runId },
  );
  const messagesSent = [
    { shard: 0, message: { kind: "events", events } },
    { shard: 1, message: "hello" },
  ];
  const isTaken = async (part: FlushBatch): Promise<boolean> => !names(part).includes("b");
  const { good } = await siftBatch({ ...batch, messagesSent }, isTaken);
  expect(good.messagesSent).toEqual([
    { shard: 0, message: { kind: "events", events: [events[0], events[2]] } },
    { shard: 1, message: "hello" },
  ]);
});

test.for([1, 2, 3, 4, 5, 6, 7, 8])(
  "a run that another server makes impossible after try %i takes nobody along",
  async (last) => {
    let tries = 0;
    // "e" is refused from the beginning, "a" since another server has bound its key.
    const isTaken = async (part: FlushBatch): Promise<boolean> => {
      tries += 1;
      return !(tries > last ? /[ae]/ : /e/).test(names(part));
    };
    const { good, refusedRuns } = await siftBatch(batch, isTaken);
    // One that was good to the last try is refused by the flush itself, and sifted then.
    expect(["bcd", "abcd"]).toContain(names(good));
    expect([...refusedRuns].filter((id) => !"ae".includes(id))).toEqual([]);
  },
);
