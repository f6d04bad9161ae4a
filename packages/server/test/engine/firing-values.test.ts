/** The value of a firing: lists up to a bound, and counts beyond it. */
import {
  listedBytesMax,
  listedMembersMax,
  streamedMembersOf,
  type Json,
  type LogEvent,
  type Member,
} from "@millrace/core";
import { expect, test } from "vitest";
import { FiringValues } from "../../src/engine/trigger/firing-values.ts";
import { memory } from "./bench.ts";

const counted = { isFired: true, members: { orders: { streamed: 1 } } };

function entry(position: number, data: LogEvent["data"]): LogEvent {
  return { position, recordedAt: 0, time: 0, type: "t", source: "s", id: `e${position}`, data } as never;
}

function members(count: number): Member[] {
  return Array.from({ length: count }, (_, at) => ({
    kind: "event",
    operand: "orders",
    position: at + 1,
    recordedAt: 0,
  }));
}

function valueOf(page: readonly LogEvent[], fresh: readonly Member[], count = fresh.length): Promise<Json> {
  const values = { loaded: async (data: object) => data };
  const made = new FiringValues({ store: memory().store, values } as never, page);
  return made.valueOf({ runId: "r", counted, members: count, stored: 0, fresh });
}

test("as many members as an input carries are lists", async () => {
  const page = members(listedMembersMax).map(({ position }: Member & { position?: number }) =>
    entry(position!, { value: null }),
  );
  expect(streamedMembersOf(await valueOf(page, members(listedMembersMax)))).toBeUndefined();
});

test("more of them, or more of their data, are counted and read as a stream", async () => {
  expect(await valueOf([], [], listedMembersMax + 1)).toEqual(counted);
  const blob = { blob: "b", bytes: listedBytesMax / 2 + 1, value: null };
  const page = [entry(1, blob), entry(2, blob)];
  expect(await valueOf(page, members(2))).toEqual(counted);
  expect(streamedMembersOf(await valueOf(page, members(1)))).toBeUndefined();
  const text = { value: "x".repeat(16_000) };
  const many = Array.from({ length: 1_100 }, (_, at) => entry(at + 1, text));
  expect(await valueOf(many, members(1_100))).toEqual(counted);
});

test("an event whose retention has ended is named by its position alone", async () => {
  expect(await valueOf([], members(1))).toMatchObject({ members: { orders: [{ position: 1, id: "" }] } });
});
