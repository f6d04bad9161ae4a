/**
 * Processes are killed at random moments while runs are under way, and nothing is lost or doubled. An outside ledger,
 * which the tasks write to, is compared with what the database has recorded.
 *
 * `MILLRACE_TEST_SEED` repeats the choices of one run; `MILLRACE_TEST_LONG` kills 50 times.
 */
import { seededRandom, type SeededRandom } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { Kept } from "./harness/kept.ts";
import { byTaskRun, type LedgerLine } from "./harness/ledger.ts";
import { childrenOf, signal } from "./harness/process-tree.ts";
import { freePort, isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

type Target = "server" | "worker" | "child" | "postgres" | "backend";
const targets: readonly Target[] = ["server", "worker", "child", "postgres", "backend"];

const seed = Number(process.env["MILLRACE_TEST_SEED"] ?? 20_261_123);
const kills = isLong ? 50 : 4;
const runsMin = isLong ? 200 : 100;
const clients = 12;
/** A killed server's shards are taken over after its lease, and kills may follow each other before anything went on. */
const stallMs = isLong ? 900_000 : 120_000;

/** How many task runs a run of each pipeline has. */
const taskRuns: { readonly [pipeline: string]: number } = {
  chain: 4,
  fan: 7,
  retrying: 2,
  calling: 2,
  waiting: 3,
  stepping: 1,
};
/** Their runs wait for an event of their own. */
const awaiting: ReadonlySet<string> = new Set(["waiting", "stepping"]);

class Chaos {
  readonly stack: Stack;
  readonly api: Api;
  readonly server: Kept;
  readonly workers: readonly Kept[];
  readonly random: SeededRandom;
  /** What was killed, in order: for messages. */
  readonly killed: Target[] = [];

  constructor(stack: Stack, port: number) {
    this.stack = stack;
    const url = `http://127.0.0.1:${port}`;
    this.api = new Api(url, { timeoutMs: 10_000 });
    this.random = seededRandom(seed);
    this.server = new Kept(() => stack.serverCommand({ port }));
    this.workers = [1, 2].map(() => new Kept(() => stack.workerCommand({ url, slots: 3 })));
    stack.onEnding(async () => {
      for (const kept of [this.server, ...this.workers]) kept.release();
    });
  }

  /** Kills when the ledger has grown by a random number of lines: no kill waits for a clock. */
  async killAll(): Promise<void> {
    const order = Array.from({ length: Math.ceil(kills / targets.length) }, () =>
      this.random.shuffle(targets),
    ).flat();
    for (const target of order.slice(0, kills)) {
      const mark = this.stack.ledger().length + this.random.below(60);
      await until(`work before the kill of ${target}, after ${this.killed.join()}`, stallMs, () => {
        return this.stack.ledger().length >= mark;
      });
      await this.#kill(target);
      this.killed.push(target);
    }
  }

  async #kill(target: Target): Promise<void> {
    if (target === "server") await this.server.kill();
    else if (target === "worker") await this.random.pick(this.workers).kill();
    else {
      const pid = await until(`a ${target} to kill`, stallMs, () => this.#pidOf(target));
      signal(pid, "SIGKILL");
    }
  }

  #pidOf(target: "child" | "postgres" | "backend"): number | undefined {
    if (target === "postgres") return this.stack.postgresPid();
    const parent = target === "child" ? this.random.pick(this.workers).command.pid : this.stack.postgresPid();
    const candidates = childrenOf(parent);
    return candidates.length === 0 ? undefined : this.random.pick(candidates);
  }

  /** A client that starts runs and sees each to its end, until there were enough. */
  async client(number: number, enough: (started: number) => boolean): Promise<string[]> {
    const ids: string[] = [];
    const pipelines = Object.keys(taskRuns);
    while (!enough(ids.length)) {
      const pipeline = pipelines[(number + ids.length) % pipelines.length] ?? "chain";
      const idempotencyKey = `${number}-${ids.length}`;
      const id = await until(`run ${idempotencyKey} is accepted`, stallMs, () =>
        this.api.start(pipeline, { idempotencyKey }),
      );
      if (awaiting.has(pipeline)) {
        const event = { specversion: "1.0", source: "/chaos", id, type: "chaos.go", data: { run: id } };
        await until(`the event of ${id} is accepted`, stallMs, () => this.api.emit(event));
      }
      const { run } = await this.api.ended(id, stallMs);
      expect(run.state, JSON.stringify(run)).toBe("succeeded");
      ids.push(id);
    }
    return ids;
  }
}

test(
  `${kills} kills of server, worker, child and PostgreSQL lose and double nothing (seed ${seed})`,
  { timeout: isLong ? 1_800_000 : 240_000 },
  async () => {
    await using stack = await Stack.make();
    const chaos = new Chaos(stack, await freePort());
    await chaos.server.command.event("ready");
    await stack.deploy(chaos.api);
    const killing = chaos.killAll();
    let done = false;
    killing.then(
      () => (done = true),
      () => (done = true),
    );
    const perClient = Math.ceil(runsMin / clients);
    const loads = Array.from({ length: clients }, (_, number) =>
      chaos.client(number, (started) => done && started >= perClient),
    );
    const [ids] = await Promise.all([Promise.all(loads), killing]);
    await expectAllRecorded(stack, ids.flat());
    await expectNothingLeft(stack);
  },
);

interface RecordedRow {
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly state: string;
  readonly dispatch: number;
}

async function expectAllRecorded(stack: Stack, started: readonly string[]): Promise<void> {
  const runs = await stack.query<{ id: string; pipeline: string; state: string; parent: boolean }>(
    `select id, pipeline, state, parent is not null as parent from run_history`,
  );
  // One key, one run: what was asked for twice because no answer came is there once.
  expect(
    runs
      .filter(({ parent }) => !parent)
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...started].sort());
  expect(runs.filter(({ state }) => state !== "succeeded")).toEqual([]);
  const calling = runs.filter(({ pipeline }) => pipeline === "calling").length;
  expect(runs.filter(({ parent }) => parent)).toHaveLength(calling);

  const rows = await stack.query<RecordedRow>(
    `select run_id as run, pipeline, node, item, t.state, t.dispatch
       from task_run_history t join run_history r on r.workspace = t.workspace and r.id = t.run_id`,
  );
  expect(rows.filter(({ state }) => state !== "succeeded")).toEqual([]);
  const perRun = Map.groupBy(rows, ({ run }) => run);
  for (const { id, pipeline } of runs)
    expect(perRun.get(id), `${pipeline} ${id}`).toHaveLength(taskRuns[pipeline]!);
  expectLedgerAgrees(
    rows.filter(({ node }) => node !== "called" && node !== "go"),
    stack.ledger(),
  );
}

/** Each recorded success is that of a dispatch that began and ended, and no later one began. */
function expectLedgerAgrees(rows: readonly RecordedRow[], ledger: readonly LedgerLine[]): void {
  const written = byTaskRun(ledger);
  expect(written.size).toBe(rows.length);
  for (const row of rows) {
    const lines = written.get(`${row.run}/${row.node}/${row.item}`) ?? [];
    const message = JSON.stringify({ row, lines });
    expect(lines.length, message).toBeGreaterThanOrEqual(2);
    expect(new Set(lines.map(({ key }) => key)).size, message).toBe(1);
    expect(Math.max(...lines.map(({ dispatch }) => dispatch)), message).toBe(row.dispatch);
    const recorded = lines.filter(({ dispatch }) => dispatch === row.dispatch);
    expect(
      recorded.map(({ event }) => event),
      message,
    ).toEqual(["start", "end"]);
  }
}

async function expectNothingLeft(stack: Stack): Promise<void> {
  for (const table of ["run", "task_run", "inbox", "offer", "wait", "wait_match", "task_code"]) {
    expect(await stack.query(`select * from ${table}`), table).toEqual([]);
  }
  for (const table of ["limit_grant", "limit_request"]) {
    await until(
      `${table} is empty`,
      15_000,
      async () => (await stack.query(`select * from ${table}`)).length === 0,
    );
  }
}
