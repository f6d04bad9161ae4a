import { emptyBatch } from "@millrace/store";
import { describe, expect, test } from "vitest";
import { Admission } from "../../src/engine/admission.ts";
import { Alarms } from "../../src/engine/alarms.ts";
import { DatabaseClock } from "../../src/engine/clock.ts";
import { FairQueue } from "../../src/engine/fair-queue.ts";
import { LimitHost, limitShard, type LimitInboxMessage } from "../../src/engine/limit-host.ts";
import { newRunId, runIdTime } from "../../src/engine/run-id.ts";
import { memory } from "./bench.ts";

describe("the fair queue", () => {
  const item = (pipeline: string, name: string, priority = 0) => ({ pipeline, name, priority });
  const drain = (queue: FairQueue<ReturnType<typeof item>>): string[] => {
    const names: string[] = [];
    for (let next = queue.pop(); next; next = queue.pop()) names.push(next.name);
    return names;
  };

  test("a long backlog of one pipeline delays another by one place", () => {
    const queue = new FairQueue<ReturnType<typeof item>>();
    for (let at = 0; at < 50; at += 1) queue.push(item("long", `l${at}`));
    queue.push(item("short", "s0"));
    expect(drain(queue).indexOf("s0")).toBeLessThanOrEqual(1);
  });

  test("priority goes first within its bound, and what was removed never comes", () => {
    const queue = new FairQueue<ReturnType<typeof item>>();
    const gone = item("p", "gone");
    queue.push(item("p", "plain"));
    queue.push(gone);
    queue.push(item("p", "urgent", 1));
    expect(queue.remove(gone)).toBe(true);
    expect([queue.size, drain(queue)]).toEqual([2, ["urgent", "plain"]]);
  });
});

describe("alarms", () => {
  test("ring in the order of their instants, once, unless cancelled", () => {
    const { manual, clock } = memory();
    const database = new DatabaseClock(clock);
    database.adjust(5_000, manual.now(), manual.now());
    const alarms = new Alarms(clock, database);
    const rung: string[] = [];
    alarms.set(5_200, () => rung.push("second"));
    alarms.set(5_100, () => rung.push("first"));
    alarms.set(5_150, () => rung.push("cancelled")).cancel();
    manual.advance(99);
    expect(rung).toEqual([]);
    manual.advance(500);
    expect(rung).toEqual(["first", "second"]);
  });

  test("time of the database never goes back", () => {
    const { manual, clock } = memory();
    const database = new DatabaseClock(clock);
    database.adjust(9_000, manual.now(), manual.now());
    const before = database.now();
    database.adjust(1_000, manual.now(), manual.now());
    expect(database.now()).toBe(before);
  });
});

describe("admission", () => {
  const run = (id: string) => ({
    workspace: 1,
    id,
    shard: 1,
    pipeline: "p",
    bundle: "b1",
    generation: 1,
    createdAt: 0,
  });

  test("a limited run waits for its grant, and begins once", () => {
    const admission = new Admission();
    admission.addLimited(run("r1"));
    expect(admission.next()).toBeUndefined();
    admission.granted("r1");
    admission.granted("r1");
    expect(admission.next()?.id).toBe("r1");
    expect([admission.next(), admission.has("r1")]).toEqual([undefined, false]);
  });

  test("runs of shards that are given up are forgotten", () => {
    const admission = new Admission();
    admission.add(run("r1"));
    admission.drop(new Set([1]));
    expect([admission.next(), admission.size]).toEqual([undefined, 0]);
  });
});

describe("limits", () => {
  const key = { workspace: 1, kind: "pool", name: "warehouse" } as const;
  const request = (holder: string) => ({ holder, runId: "r1", slots: 1, rank: 0, replyShard: 1 });

  function host(owned: boolean) {
    const batch = emptyBatch();
    const sent: LimitInboxMessage[] = [];
    const granted: string[] = [];
    const limits = new LimitHost({
      owns: () => owned,
      batch: () => batch,
      request: () => {},
      send: (_shard, message) => sent.push(message),
      onGranted: (_key, holder) => granted.push(holder),
    });
    return { limits, batch, sent, granted };
  }

  test("a limit of ours answers in the same turn and never grants more than its slots", () => {
    const { limits, batch, granted } = host(true);
    for (const holder of ["a", "b", "c"]) limits.ask(key, request(holder), 2);
    expect([granted, batch.grants.length, batch.requests.length]).toEqual([["a", "b"], 2, 1]);
    limits.release(key, "a");
    expect(granted).toEqual(["a", "b", "c"]);
    expect(batch.grants.map((row) => row.holder)).toEqual(["b", "c"]);
    expect([batch.requests, batch.grantsGone]).toEqual([[], []]);
  });

  test("two numbers of slots in one flush are one row", () => {
    const { limits, batch } = host(true);
    limits.setSlots(key, 2);
    limits.setSlots(key, 5);
    expect(batch.limits).toEqual([{ ...key, shard: limitShard(key), slots: 5, setByOperator: true }]);
  });

  test("another node's limit is asked through the inbox", () => {
    const { limits, sent, granted } = host(false);
    limits.ask(key, request("a"), 2);
    limits.release(key, "a");
    expect(sent.map(({ kind }) => kind)).toEqual(["limit_request", "limit_release"]);
    expect(granted).toEqual([]);
  });
});

test("ids of runs rise with time and tell it", () => {
  const ids = [1_800_000_000_000, 1_800_000_000_001, 1_900_000_000_000].map((now) =>
    newRunId(now, () => 0.5),
  );
  expect([...ids].sort()).toEqual(ids);
  expect(ids.map(runIdTime)).toEqual([1_800_000_000_000, 1_800_000_000_001, 1_900_000_000_000]);
  expect(runIdTime("x")).toBeUndefined();
});
