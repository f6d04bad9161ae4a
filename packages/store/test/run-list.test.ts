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

  async function all(filter: Omit<RunFilter, "beforeId">): Promise<string[]> {
    const found: string[] = [];
    let beforeId: string | undefined = "~";
    while (beforeId !== undefined) {
      const { runs, before } = await listRuns(database.database, 1, { ...filter, beforeId }, bounds);
      expect(runs.length).toBeLessThanOrEqual(filter.limit);
      found.push(...runs.map(({ id, state }) => `${id} ${state}`));
      if (before !== undefined) expect(before < beforeId).toBe(true);
      beforeId = before;
    }
    return found;
  }

  test("each list has what it asks for, once, newest first, in pages of any size", async () => {
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
            .map(({ id, state: one }) => `${id} ${one}`)
            .toReversed();
          const label = team === undefined ? undefined : { name: "team", value: team };
          const limit = 1 + random.below(9);
          expect([pipeline, state, team, await all({ pipeline, state, label, limit })]).toEqual([
            pipeline,
            state,
            team,
            expected,
          ]);
        }
  }, 120_000);
});
