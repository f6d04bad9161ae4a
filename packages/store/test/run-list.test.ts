/** Lists of runs beside a slow model, with bounds so low that every list comes in many looks; and their plans on a long history. */
import type { RunState } from "@millrace/core";
import { seededRandom, testDatabase, type TestDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listRuns, type RunFilter } from "../src/queries/run-list.ts";

interface Made {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly team: string;
}

const bounds = { lookedMax: 7, lookedOfShardMax: 2 };
const random = seededRandom(20_261_127);
const states: readonly RunState[] = [
  "succeeded",
  "succeeded",
  "succeeded",
  "failed",
  "cancelled",
  "superseded",
  "running",
  "waiting",
  "queued",
  "quarantined",
];

function make(count: number): Made[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `r${String(at).padStart(16, "0")}`,
    pipeline: random.pick(["a", "b", "c"]),
    state: random.pick(states),
    team: random.pick(["x", "y", "z"]),
  }));
}

function isEnded({ state }: Made): boolean {
  return ["succeeded", "failed", "cancelled", "superseded"].includes(state);
}

describe("runs of every state", () => {
  let database: TestDatabase;
  let client: Client;
  const made = make(120);

  beforeAll(async () => {
    database = await testDatabase();
    client = new Client(database.connection);
    await client.connect();
    const common = "1, $1, 'live', $2, $3, 'p', 'b'";
    for (const [at, run] of made.entries()) {
      const values = [run.id, at % 64, run.pipeline, run.state, JSON.stringify({ team: run.team })];
      const names =
        "workspace, id, lane, shard, pipeline, project, bundle, generation, state, labels, reason, params, created_at, started_at";
      if (!isEnded(run)) {
        await client.query(
          `insert into run (${names}) values (${common}, 2, $4, $5, '{"code":"c","message":"m"}', '{}', now(), ${run.state === "queued" ? "null" : "now()"})`,
          values,
        );
        // Its generation before.
        if (at % 2 === 0)
          await client.query(
            `insert into run_history (${names}, depth, ended_at) values (${common}, 1, 'failed', $4, '{"code":"c","message":"m"}', '{}', now(), now(), 0, now())`,
            [run.id, at % 64, run.pipeline, JSON.stringify({ team: run.team })],
          );
        continue;
      }
      await client.query(
        `insert into run_history (${names}, depth, ended_at) values (${common}, 2, $4, $5, '{"code":"c","message":"m"}', '{}', now(), now(), 0, now())`,
        values,
      );
      if (at % 3 === 0)
        await client.query(
          `insert into run_history (${names}, depth, ended_at) values (${common}, 1, 'failed', $4, '{"code":"c","message":"m"}', '{}', now(), now(), 0, now())`,
          [run.id, at % 64, run.pipeline, JSON.stringify({ team: run.team })],
        );
    }
  }, 60_000);

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  async function all(
    filter: Omit<RunFilter, "fromId" | "beforeId">,
    from = "",
    before = "~",
  ): Promise<string[]> {
    const found: string[] = [];
    let place: { readonly fromId: string; readonly beforeId: string } | undefined = {
      fromId: from,
      beforeId: before,
    };
    while (place !== undefined) {
      const { runs, after } = await listRuns(database.database, 1, { ...filter, ...place }, bounds);
      expect(runs.length).toBeLessThanOrEqual(filter.limit);
      found.push(...runs.map(({ id, state }) => `${id} ${state}`));
      if (after === undefined) break;
      expect(after >= place.fromId && after < place.beforeId).toBe(true);
      place =
        filter.order === "newest"
          ? { fromId: from, beforeId: after }
          : { fromId: `${after}~`, beforeId: before };
    }
    return found;
  }

  test("each list has what it asks for, once, newest or oldest first, in pages of any size", async () => {
    for (const pipeline of [undefined, "a", "none"])
      for (const state of [undefined, ...new Set(states)])
        for (const team of [undefined, "y"]) {
          const expected = made
            .filter(
              (run) =>
                (pipeline === undefined || run.pipeline === pipeline) &&
                (state === undefined || run.state === state) &&
                (team === undefined || run.team === team),
            )
            .map(({ id, state: one }) => `${id} ${one}`);
          const label = team === undefined ? undefined : { name: "team", value: team };
          const limit = 1 + random.below(9);
          const asked = { pipeline, state, label, by: undefined, limit };
          const newest = await all({ ...asked, order: "newest" });
          expect([pipeline, state, team, newest]).toEqual([pipeline, state, team, expected.toReversed()]);
          const oldest = await all({ ...asked, order: "oldest" });
          expect([pipeline, state, team, oldest]).toEqual([pipeline, state, team, expected]);
        }
  }, 120_000);

  test("a list keeps to the time between two ids", async () => {
    const [from, before] = [made[30]!.id, made[60]!.id];
    const expected = made.slice(30, 60).map(({ id, state }) => `${id} ${state}`);
    const asked = { pipeline: undefined, state: undefined, label: undefined, by: undefined, limit: 7 };
    expect(await all({ ...asked, order: "newest" }, from, before)).toEqual(expected.toReversed());
    expect(await all({ ...asked, order: "oldest" }, from, before)).toEqual(expected);
  });

  test("by whom they were begun", async () => {
    await client.query(`update run set parent = '{"runId":"r","node":"n","item":""}' where id < $1`, [
      made[20]!.id,
    ]);
    await client.query(`update run_history set parent = '{"runId":"r","node":"n","item":""}' where id < $1`, [
      made[20]!.id,
    ]);
    await client.query(
      `insert into firing (workspace, pipeline, version, key, occurrence, revision, position, at, run_id)
       select 1, 'a', 1, '', n, 1, n, now(), 'r' || lpad(n::text, 16, '0') from generate_series(40, 59) as n`,
    );
    const asked = {
      pipeline: undefined,
      state: undefined,
      label: undefined,
      order: "newest",
      limit: 9,
    } as const;
    const ids = (runs: readonly Made[]) => runs.map(({ id, state }) => `${id} ${state}`).toReversed();
    expect(await all({ ...asked, by: "call" })).toEqual(ids(made.slice(0, 20)));
    expect(await all({ ...asked, by: "trigger" })).toEqual(ids(made.slice(40, 60)));
    expect(await all({ ...asked, by: "person" })).toEqual(ids([...made.slice(20, 40), ...made.slice(60)]));
  });
});
