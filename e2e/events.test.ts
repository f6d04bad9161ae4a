/**
 * Processes are killed at random moments while events come in, fire and wake. A ledger outside, of what was acknowledged
 * and of what the tasks did, is compared with what the database has: each acknowledged event is in the log once, each
 * firing started one run with exactly its events, and each wait was ended once.
 *
 * `MILLRACE_TEST_SEED` repeats the choices of one run; `MILLRACE_TEST_LONG` kills 40 times.
 */
import { seededRandom, type SeededRandom } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { Kept } from "./harness/kept.ts";
import { byTaskRun } from "./harness/ledger.ts";
import { childrenOf, signal } from "./harness/process-tree.ts";
import { freePort, isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const seed = Number(process.env["MILLRACE_TEST_SEED"] ?? 20_261_127);
const kills = isLong ? 40 : 3;
/** Orders of each client, at least. */
const ordersMin = isLong ? 400 : 60;
const clients = 6;
/** Kills may follow each other before anything went on, and a dead server's shards wait for its lease. */
const stallMs = isLong ? 900_000 : 120_000;

type Target = "server" | "worker" | "child" | "backend" | "postgres";

interface Order {
  readonly order: string;
  readonly amount: number;
  /** The run that waits for its payment. */
  readonly run: string | undefined;
}

interface StormOptions {
  /** Each server's own command, and whether PostgreSQL is its own as well. */
  readonly ports: readonly number[];
  readonly targets: readonly Target[];
}

class Storm {
  readonly #stack: Stack;
  readonly #targets: readonly Target[];
  readonly #random: SeededRandom = seededRandom(seed);
  readonly #servers: readonly Kept[];
  readonly #workers: readonly Kept[];
  readonly #apis: readonly Api[];
  readonly #killed: Target[] = [];

  constructor(stack: Stack, { ports, targets }: StormOptions) {
    this.#stack = stack;
    this.#targets = targets;
    this.#servers = ports.map((port) => new Kept(() => stack.serverCommand({ port })));
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    this.#apis = urls.map((url) => new Api(url, { timeoutMs: 10_000 }));
    this.#workers = [0, 1].map(
      (at) => new Kept(() => stack.workerCommand({ url: urls[at % urls.length]!, slots: 3 })),
    );
    stack.onEnding(async () => {
      for (const kept of [...this.#servers, ...this.#workers]) kept.release();
    });
  }

  async ready(): Promise<void> {
    for (const server of this.#servers) await server.command.event("ready");
    await this.#stack.deploy(this.#apis[0]!);
  }

  /** Kills when the ledger has grown by a random number of lines: no kill waits for a clock. */
  async killAll(): Promise<void> {
    const order = Array.from({ length: Math.ceil(kills / this.#targets.length) }, () =>
      this.#random.shuffle(this.#targets),
    ).flat();
    for (const target of order.slice(0, kills)) {
      const mark = this.#stack.ledger().length + this.#random.below(80);
      await until(`work before the kill of ${target}, after ${this.#killed.join()}`, stallMs, () => {
        return this.#stack.ledger().length >= mark;
      });
      await this.#kill(target);
      this.#killed.push(target);
    }
  }

  async #kill(target: Target): Promise<void> {
    if (target === "server") await this.#random.pick(this.#servers).kill();
    else if (target === "worker") await this.#random.pick(this.#workers).kill();
    else {
      const pid = await until(`a ${target} to kill`, stallMs, () => this.#pidOf(target));
      signal(pid, "SIGKILL");
    }
  }

  #pidOf(target: "child" | "backend" | "postgres"): number | undefined {
    if (target === "postgres") return this.#stack.postgresPid();
    const parent =
      target === "child" ? this.#random.pick(this.#workers).command.pid : this.#stack.postgresPid();
    const candidates = childrenOf(parent);
    return candidates.length === 0 ? undefined : this.#random.pick(candidates);
  }

  /** A client that places orders and pays them, and sends again what was not acknowledged; resolves with all that was. */
  async client(number: number, enough: (orders: number) => boolean): Promise<Order[]> {
    const random = seededRandom(seed + number);
    const orders: Order[] = [];
    let sent: object[] = [];
    while (!enough(orders.length)) {
      const placed: Order[] = [];
      for (let at = 0; at < 5; at += 1)
        placed.push(await this.#place(`${number}-${orders.length + at}`, random));
      const told = placed.map(({ order, amount }) => eventOf("order.placed", order, { order, amount }));
      const paid = random.shuffle(placed.map(({ order }) => eventOf("order.paid", order, { order })));
      // Some come twice, and some payments before their orders.
      const again = random.below(4) === 0 ? sent : [];
      sent = random.below(2) === 0 ? [...told, ...paid] : [...paid, ...told];
      const half = random.below(sent.length);
      for (const batch of [sent.slice(0, half), [...again, ...sent.slice(half)]])
        await this.#emit(batch, random);
      orders.push(...placed);
    }
    return orders;
  }

  async #place(order: string, random: SeededRandom): Promise<Order> {
    const amount = random.below(100);
    if (random.below(5) > 0) return { order, amount, run: undefined };
    const run = await until(`the run that waits for ${order}`, stallMs, () =>
      random.pick(this.#apis).start("collecting", { params: { order }, idempotencyKey: order }),
    );
    return { order, amount, run };
  }

  async #emit(batch: readonly object[], random: SeededRandom): Promise<void> {
    if (batch.length === 0) return;
    await until(`${batch.length} events are acknowledged`, stallMs, async () => {
      const answer = await random
        .pick(this.#apis)
        .send<{ readonly rejected: number }>("POST", "/events", batch, "application/cloudevents-batch+json");
      return answer.rejected === 0;
    });
  }
}

function eventOf(type: string, order: string, data: object): object {
  return { specversion: "1.0", source: "/storm", id: `${type} ${order}`, type, data };
}

/** What is still to be done of what was acknowledged; nothing once all is. */
async function rest(stack: Stack, orders: readonly Order[]): Promise<string | undefined> {
  const large = orders.filter(isLarge).length;
  const [done] = await stack.query<{ [what: string]: number }>(
    `select
        (select count(*) from firing where pipeline = 'confirming')::integer as confirmed,
        (select count(*) from firing where pipeline = 'settling')::integer as settled,
        (select count(*) from firing join firing_member using (workspace, run_id) where pipeline = 'loading')::integer as loaded,
        (select count(*) from run)::integer as open`,
  );
  const { confirmed = 0, settled = 0, loaded = 0, open = 0 } = done ?? {};
  if (confirmed >= large && settled >= orders.length && loaded >= orders.length && open === 0)
    return undefined;
  return `${JSON.stringify(done)} of ${orders.length} orders, ${large} of them large`;
}

function isLarge({ amount }: Order): boolean {
  return amount >= 50;
}

interface EndedRun {
  readonly id: string;
  readonly pipeline: string;
  readonly state: string;
  readonly ids: readonly string[];
}

async function expectEachOnce(stack: Stack, orders: readonly Order[]): Promise<void> {
  const placed = orders.map(({ order }) => `order.placed ${order}`).toSorted();
  const large = orders.filter(isLarge).map(({ order }) => `order.placed ${order}`);
  const log = await stack.query<{ id: string }>(
    "select id from event_log where source = '/storm' order by id",
  );
  expect(log.map(({ id }) => id).toSorted()).toEqual(
    [...placed, ...orders.map(({ order }) => `order.paid ${order}`)].toSorted(),
  );
  const [dense] = await stack.query("select max(position) = count(*) as dense from event_log");
  expect(dense).toEqual({ dense: true });

  const runs = await stack.query<EndedRun>(
    `select run.id, run.pipeline, run.state,
        array(
          select event.id
          from firing_member member
          join event_log event using (workspace, position)
          where member.workspace = run.workspace and member.run_id = run.id
          order by member.ordinal
        ) as ids
      from run_history run`,
  );
  expect(runs.filter(({ state }) => state !== "succeeded")).toEqual([]);
  const idsOf = (pipeline: string): string[] =>
    runs
      .filter((run) => run.pipeline === pipeline)
      .map(({ ids }) => ids.toSorted().join())
      .toSorted();
  expect(idsOf("confirming")).toEqual(large.toSorted());
  expect(idsOf("settling")).toEqual(
    orders.map(({ order }) => `order.paid ${order},order.placed ${order}`).toSorted(),
  );
  const loads = runs.filter(({ pipeline }) => pipeline === "loading");
  expect(loads.flatMap(({ ids }) => ids).toSorted()).toEqual(placed);
  expect(Math.max(...loads.map(({ ids }) => ids.length))).toBeLessThanOrEqual(10);
  const firings = await stack.query<{ run: string }>("select run_id as run from firing");
  const waiting = new Set(orders.flatMap(({ run }) => run ?? []));
  // A firing has one run, and a run that nobody started by hand has one firing.
  expect([...firings.map(({ run }) => run), ...waiting].toSorted()).toEqual(
    runs.map(({ id }) => id).toSorted(),
  );
  const confirmed = await stack.query<{ subject: string }>(
    "select subject from event_log where type = 'order.confirmed'",
  );
  expect(confirmed.map(({ subject }) => subject).toSorted()).toEqual(large.toSorted());

  await expectEachTaskOnce(stack, orders);
  for (const table of ["run", "task_run", "inbox", "offer", "wait", "wait_match", "task_code"])
    expect(await stack.query(`select * from ${table}`), table).toEqual([]);
}

interface EndedTask {
  readonly run: string;
  readonly node: string;
  readonly dispatch: number;
  readonly output: unknown;
}

/** The recorded success of each task is that of its last dispatch, which began and ended; and waits gave their own event. */
async function expectEachTaskOnce(stack: Stack, orders: readonly Order[]): Promise<void> {
  const tasks = await stack.query<EndedTask>(
    "select run_id as run, node, dispatch, output from task_run_history where node <> 'paid'",
  );
  const ledger = byTaskRun(stack.ledger());
  expect(ledger.size).toBe(tasks.length);
  for (const { run, node, dispatch } of tasks) {
    const lines = (ledger.get(`${run}/${node}/`) ?? []).filter((line) => line.dispatch === dispatch);
    expect(
      lines.map(({ event }) => event),
      `${run} ${node}`,
    ).toEqual(["start", "end"]);
  }
  for (const { run, order } of orders) {
    if (run === undefined) continue;
    const woken = tasks.filter((one) => one.run === run);
    expect(woken, run).toHaveLength(2);
    expect(Object.fromEntries(woken.map(({ node, output }) => [node, output])), run).toEqual({
      follow: [`order.paid ${order}`],
      wake: [`order.paid ${order}`],
    });
  }
}

async function weather(stack: Stack, options: StormOptions): Promise<void> {
  const storm = new Storm(stack, options);
  await storm.ready();
  let isOver = false;
  const killing = storm.killAll().finally(() => (isOver = true));
  const clientsDone = Array.from({ length: clients }, (_, number) =>
    storm.client(number, (count) => isOver && count >= ordersMin),
  );
  const [all] = await Promise.all([Promise.all(clientsDone), killing]);
  const orders = all.flat();
  let left: string | undefined;
  await until("all runs of all orders", stallMs, async () => {
    left = await rest(stack, orders);
    return left === undefined;
  }).catch((cause: unknown) => {
    throw new Error(`not done: ${left}`, { cause });
  });
  await expectEachOnce(stack, orders);
}

const timeout = { timeout: isLong ? 1_800_000 : 240_000 };

test(
  `${kills} kills of a server, its PostgreSQL and its workers lose and double no event, firing or wake (seed ${seed})`,
  timeout,
  async () => {
    await using stack = await Stack.make();
    await weather(stack, {
      ports: [await freePort()],
      targets: ["server", "worker", "child", "postgres", "backend"],
    });
  },
);

test(
  `${kills} kills of two servers on one database, and of their workers, neither (seed ${seed})`,
  timeout,
  async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    await weather(stack, {
      ports: [await freePort(), await freePort()],
      targets: ["server", "server", "worker", "child", "backend"],
    });
  },
);
