/** The pipelines of `conditions`, one for each operator, on a real server: events go in, and firings are looked at. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SharedServer } from "./shared-server.ts";

const timeoutMs = 60_000;
let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("conditions");
}, 120_000);

afterAll(async () => server.stop());

async function call<Answer>(
  method: string,
  path: string,
  body?: object,
  type = "application/json",
): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": type } }),
  });
  const answer = (await response.json()) as Answer;
  expect(response.ok, JSON.stringify(answer)).toBe(true);
  return answer;
}

async function emit(type: string, rest: object = {}): Promise<number> {
  const event = { specversion: "1.0", source: "/test", id: crypto.randomUUID(), type, ...rest };
  const { position } = await call<{ position: number }>(
    "POST",
    "/events",
    event,
    "application/cloudevents+json",
  );
  return position;
}

interface Firing {
  readonly id: string;
  readonly key?: string;
  readonly revision: number;
  readonly partition?: string;
  readonly members: readonly { readonly operand: string; readonly position?: number }[];
}

/** What a pipeline's trigger has fired by now, the oldest first. */
async function firings(name: string): Promise<Firing[]> {
  const { items } = await call<{ items: readonly Firing[] }>("GET", `/triggers/${name}/firings`);
  return Promise.all(
    items
      .toReversed()
      .map(({ id }) => call<Firing>("GET", `/triggers/${name}/firings/${encodeURIComponent(id)}`)),
  );
}

/** The members' positions of each firing, once there are `count` of them. */
async function fired(name: string, count: number): Promise<(number | undefined)[][]> {
  for (;;) {
    const found = await firings(name);
    if (found.length >= count) return found.map(({ members }) => members.map(({ position }) => position));
  }
}

const dayMs = 86_400_000;

/** How often it would have fired in so many days from then on, all of them past. */
async function simulated(name: string, since: number, days: number): Promise<number> {
  const body = { pipeline: name, since: new Date(since).toISOString(), limit: 1_000 };
  const { firings: made } = await call<{ firings: readonly { readonly at: string }[] }>(
    "POST",
    "/triggers/simulate",
    body,
  );
  return made.filter(({ at }) => Date.parse(at) <= since + days * dayMs).length;
}

describe("the condition", () => {
  test("event fires on each event that fits its filter", async () => {
    await emit("order.paid", { data: { orderId: "e1", amount: 99 } });
    const large = await emit("order.paid", { data: { orderId: "e2", amount: 100 } });
    expect(await fired("large-order", 1)).toEqual([[large]]);
  });

  test("finished fires on the end of another pipeline's run", async () => {
    const { run } = await call<{ run: { readonly id: string } }>("POST", "/runs", { pipeline: "notify" });
    const [[position] = []] = await fired("after-notify", 1);
    const entry = await call<{ event: { data: { run: string } } }>("GET", `/events/${position}`);
    expect(entry.event).toMatchObject({
      type: "millrace.run.succeeded",
      subject: "notify",
      data: { run: run.id },
    });
  });

  test("an event that does not fit its declaration fires nothing, and says what is wrong", async () => {
    const position = await emit("order.paid", { data: { orderId: "x1", amount: "1000" } });
    const fits = await emit("order.paid", { data: { orderId: "x2", amount: 1_000 } });
    const entry = await call<{ invalid: string }>("GET", `/events/${position}`);
    expect(entry.invalid).toBe('data.amount must be a number, found "1000"');
    const found = (await fired("large-order", 1)).flat();
    expect(found).toContain(fits);
    expect(found).not.toContain(position);
  });

  test("event with a star takes all types that begin so", async () => {
    const before = (await firings("every-order")).length;
    const refunded = await emit("order.refunded");
    expect((await fired("every-order", before + 1)).at(-1)).toEqual([refunded]);
  });

  test("cron, every and at tick by the calendar", async () => {
    const weekAgo = Math.floor(Date.now() / dayMs - 8) * dayMs;
    expect(await simulated("workdays", weekAgo, 7)).toBe(5);
    // Of a week, 1 and 6 January are holidays, and 3 and 4 a weekend.
    expect(await simulated("opening", Date.parse("2025-12-31T12:00:00Z"), 7)).toBe(3);
    expect(await simulated("quarterly", weekAgo, 7)).toBe(7 * 96);
    expect(await simulated("closings", Date.parse("2026-01-31T12:00:00Z"), 28)).toBe(1);
    expect(await simulated("closings", Date.parse("2026-01-31T12:00:00Z"), 29)).toBe(2);
  });

  const hourOf = (day: string, hour: number): string => `${day}T${String(hour).padStart(2, "0")}:00Z`;

  async function update(partition: string, rows = 1): Promise<number> {
    const data = { partition, metadata: { rows } };
    return emit("millrace.asset.updated", { subject: "lake/orders", data });
  }

  async function firedFor(name: string, count: number): Promise<(string | undefined)[]> {
    for (;;) {
      const found = await firings(name);
      if (found.length >= count) return found.map(({ partition }) => partition);
    }
  }

  test("updated fires for partitions: each, the latest that have rows, and those that they are part of", async () => {
    const hours = [hourOf("2026-01-05", 1), hourOf("2026-01-12", 23)];
    for (const hour of hours) await update(hour);
    expect(await firedFor("any-hour", 2)).toEqual(hours);
    expect(await firedFor("changed-week", 2)).toEqual(["2026-01-05", "2026-01-12"]);
    const now = `${new Date().toISOString().slice(0, 13)}:00Z`;
    await update(now, 0);
    await update(now, 7);
    expect(await firedFor("filled-hour", 1)).toEqual([now]);
  });

  test("updated with all fires once for a day of which all hours are there", async () => {
    for (let hour = 23; hour >= 0; hour -= 1) await update(hourOf("2026-02-01", hour));
    await update(hourOf("2026-02-01", 5));
    await update(hourOf("2026-02-02", 5));
    await firedFor("any-hour", 30);
    expect(await firedFor("whole-day", 1)).toEqual(["2026-02-01"]);
  });

  test("reached fires for a day when progress passes its end, and once more for late data", async () => {
    const progress = (until: string) =>
      emit("millrace.asset.progress", { subject: "lake/orders", data: { until } });
    await progress("2026-03-02T00:09:59Z");
    expect(await firings("day-reached")).toEqual([]);
    await progress("2026-03-02T00:10:00Z");
    expect(await firedFor("day-reached", 1)).toEqual(["2026-03-01"]);
    const late = await update(hourOf("2026-03-01", 3));
    expect(await firedFor("day-reached", 2)).toEqual(["2026-03-01", "2026-03-01"]);
    expect((await firings("day-reached")).at(-1)).toMatchObject({
      revision: 2,
      members: [{ position: late }],
    });
  });

  test("all joins events of one key, in any order", async () => {
    const first = await emit("order.shipped", { data: { orderId: "j1" } });
    await emit("order.shipped", { data: { orderId: "j2" } });
    const second = await emit("order.paid", { data: { orderId: "j1", amount: 1 } });
    const [firing] = await firings("delivered");
    expect(firing).toMatchObject({ key: "j1" });
    expect(new Set(firing!.members.map(({ position }) => position))).toEqual(new Set([first, second]));
  });

  test("any fires on each of its operands", async () => {
    const changes = [await emit("stock.changed"), await emit("price.changed")];
    expect(await fired("any-change", 2)).toEqual(changes.map((change) => [change]));
  });

  test("atLeast wants so many different operands", async () => {
    const votes = [await emit("vote.c"), await emit("vote.c")];
    expect(await firings("quorum")).toEqual([]);
    votes.push(await emit("vote.a"));
    const [[...members] = []] = await fired("quorum", 1);
    expect(new Set(members)).toEqual(new Set(votes));
  });

  test("sequence wants its operands one after the other", async () => {
    await emit("door.closed");
    const door = [await emit("door.opened"), await emit("door.closed")];
    expect(await fired("in-order", 1)).toEqual([door]);
  });

  test("unless takes nothing once its second operand has come", async () => {
    const asked = await emit("release.asked");
    await emit("release.frozen");
    await emit("release.asked");
    expect(await fired("unless-frozen", 1)).toEqual([[asked]]);
  });

  test(
    "absent fires for what was not answered in time",
    async () => {
      await emit("invoice.sent", { data: { invoiceId: 1 } });
      const silent = await emit("invoice.sent", { data: { invoiceId: 2 } });
      await emit("invoice.paid", { data: { invoiceId: 1 } });
      expect(await fired("not-paid", 1)).toEqual([[silent, undefined]]);
      expect(await firings("not-paid")).toMatchObject([{ key: "2" }]);
    },
    timeoutMs,
  );

  test("count fires on every n-th of a key", async () => {
    const failed: number[] = [];
    for (const subject of ["ann", "bob", "ann", "ann", "ann"])
      failed.push(await emit("login.failed", { subject }));
    expect(await fired("three-failures", 1)).toEqual([[failed[0], failed[2], failed[3]]]);
  });

  test(
    "batch fires when it is full, or when the first has waited long enough",
    async () => {
      const rows: number[] = [];
      for (let row = 0; row < 4; row += 1) rows.push(await emit("row.added"));
      expect(await fired("upload", 2)).toEqual([rows.slice(0, 3), rows.slice(3)]);
    },
    timeoutMs,
  );

  test(
    "session gathers what follows each other",
    async () => {
      const pages = [
        await emit("page.seen", { subject: "ann" }),
        await emit("page.seen", { subject: "ann" }),
      ];
      expect(await fired("visit", 1)).toEqual([pages]);
    },
    timeoutMs,
  );

  test(
    "debounce waits until it is quiet",
    async () => {
      const changes = [await emit("source.changed"), await emit("source.changed")];
      expect(await fired("rebuild", 1)).toEqual([changes]);
    },
    timeoutMs,
  );

  test(
    "throttle holds what is too much, and loses none of it",
    async () => {
      const alarms = [await emit("alarm"), await emit("alarm"), await emit("alarm")];
      expect(await fired("notify", 2)).toEqual([alarms.slice(0, 1), alarms.slice(1)]);
    },
    timeoutMs,
  );

  test("window gathers by the events' own time, and a late one makes a revision", async () => {
    const at = (time: string) => emit("reading", { time: `2026-03-01T${time}:00Z` });
    const ten = [await at("10:05"), await at("10:59")];
    const eleven = await at("11:05");
    const early = await at("10:20");
    const closing = await at("11:10");
    expect(await fired("hourly-readings", 1)).toEqual([[...ten, early]]);
    const late = await at("10:30");
    const found = await firings("hourly-readings");
    expect(found).toMatchObject([{ revision: 1 }, { revision: 2, members: [{ position: late }] }]);
    await at("12:10");
    expect((await fired("hourly-readings", 3)).at(-1)).toEqual([eleven, closing]);
  });
});

describe("the page about conditions", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/reference/conditions.md"), "utf8");
  const file = readFileSync(join(import.meta.dirname, "conditions/pipelines/conditions.ts"), "utf8");
  const shown = [...page.matchAll(/^```ts(?: follows)?\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);

  test("shows what was run", () => {
    // What a trigger's policy does has an example of its own.
    const policies = readFileSync(join(import.meta.dirname, "policies/pipelines/policies.ts"), "utf8");
    expect(shown.filter((code) => !file.includes(code) && !policies.includes(code))).toEqual([]);
  });

  test("shows every pipeline of the example", () => {
    const all = [...file.matchAll(/^export const (\w+) = pipeline/gm)].map(([, name]) => name);
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter((name) => !shown.some((code) => code.includes(`const ${name} = `)))).toEqual([]);
  });
});
