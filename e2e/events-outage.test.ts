/** The events' door while the disk is full or the database is away: what was acknowledged is there once, and has fired once. */
import { canMount, fillDisk, smallDisk } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Api, Refusal } from "./harness/api.ts";
import { Proxy } from "./harness/proxy.ts";
import { isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const outageMs = isLong ? 30_000 : 5_000;
/** Characters in each order: a hundred of them are half a megabyte of disk. */
const noteLength = 5_000;

/** A client that sends orders, and each until it is acknowledged; what was refused, it keeps. */
class Orders {
  readonly #api: Api;
  readonly acknowledged: string[] = [];
  readonly refused: unknown[] = [];
  #next = 0;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Sends `count` orders once; false when they were refused. They are sent again next time. */
  async send(count: number): Promise<boolean> {
    const ids = Array.from({ length: count }, (_, at) => `order ${this.#next + at}`);
    const note = "x".repeat(noteLength);
    const batch = ids.map((id) => ({
      specversion: "1.0",
      source: "/outage",
      id,
      type: "order.placed",
      data: { order: id, amount: 60, note },
    }));
    try {
      await this.#api.send("POST", "/events", batch, "application/cloudevents-batch+json");
    } catch (error) {
      this.refused.push(error);
      return false;
    }
    this.acknowledged.push(...ids);
    this.#next += count;
    return true;
  }
}

/** Of each event that was acknowledged there is one entry and one run. */
async function expectEachOnce(stack: Stack, orders: Orders): Promise<void> {
  await until("all runs", 120_000, async () => {
    const [done] = await stack.query<{ runs: number }>(
      "select count(*)::integer as runs from run_history where pipeline = 'confirming' and state = 'succeeded'",
    );
    return done!.runs >= orders.acknowledged.length;
  });
  const log = await stack.query<{ id: string }>("select id from event_log where source = '/outage'");
  expect(log.map(({ id }) => id).toSorted()).toEqual(orders.acknowledged.toSorted());
  const fired = await stack.query<{ id: string }>(
    `select event.id
      from firing
      join firing_member member using (workspace, run_id)
      join event_log event on event.workspace = member.workspace and event.position = member.position
      where firing.pipeline = 'confirming'`,
  );
  expect(fired.map(({ id }) => id).toSorted()).toEqual(orders.acknowledged.toSorted());
}

test.skipIf(!canMount() || !isLong)(
  "a full disk refuses events with what it says, and loses none that was acknowledged [where mounting is allowed]",
  { timeout: 240_000 },
  async () => {
    await using disk = await smallDisk("220m");
    await using stack = await Stack.make({ state: disk.folder });
    const { command, api } = await stack.server();
    await stack.worker({ url: api.url });
    await stack.deploy(api);
    const orders = new Orders(api);
    await orders.send(50);
    const filler = await fillDisk(disk.folder);
    // Writes go into space that PostgreSQL has already, until it needs more.
    await until("events are refused", 120_000, async () => !(await orders.send(100)));
    const refusals = (): Refusal[] => orders.refused.filter((error) => error instanceof Refusal);
    // What finds no space is a table, and the refusal says so, or the write-ahead log: then PostgreSQL ends and can't start, as
    // whoever runs the server is told, and its clients see a database that is away.
    await until("somebody is told of the disk", 60_000, async () => {
      await orders.send(100);
      const isRefused = refusals().some(({ problem }) => /space|disk/i.test(problem.detail));
      return isRefused || /no space left/i.test(command.said);
    });
    for (const { status, problem } of refusals())
      expect([status, problem.code]).toEqual([503, expect.stringMatching(/^MILLRACE_/)]);
    expect(command.isAlive).toBe(true);
    await filler.remove();
    await until("events are taken again", 60_000, () => orders.send(100));
    await expectEachOnce(stack, orders);
  },
);

test(
  `a database that is away for ${outageMs / 1_000} s loses no event that was acknowledged, and doubles none that was not`,
  { timeout: 240_000 },
  async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    await using proxy = await Proxy.to({ path: `${stack.socketFolder}/.s.PGSQL.5432` });
    const { command, api } = await stack.server({
      environment: { DATABASE_URL: stack.databaseUrlAt("127.0.0.1", proxy.port) },
    });
    await stack.worker({ url: api.url });
    await stack.deploy(api);
    const orders = new Orders(api);
    const sending = { goesOn: true };
    const sent = (async () => {
      while (sending.goesOn) await orders.send(5);
    })();
    await until("events come", 20_000, () => orders.acknowledged.length > 50);
    proxy.cut();
    const cutAt = performance.now();
    await until("events are refused", outageMs + 15_000, () => orders.refused.length > 0);
    const [refusal] = orders.refused as Refusal[];
    expect([refusal?.status, refusal?.problem?.code]).toEqual([503, expect.stringMatching(/^MILLRACE_/)]);
    // The length of the outage is what is tested.
    await until("the outage is over", outageMs + 1_000, () => performance.now() - cutAt >= outageMs);
    proxy.open();
    const before = orders.acknowledged.length;
    await until("events come again", 60_000, () => orders.acknowledged.length > before + 50);
    sending.goesOn = false;
    await sent;
    // What was under way when its answer was lost is sent once more, so it is acknowledged in the end.
    await until("the last ones are acknowledged", 60_000, () => orders.send(5));
    expect(command.isAlive).toBe(true);
    await expectEachOnce(stack, orders);
  },
);
