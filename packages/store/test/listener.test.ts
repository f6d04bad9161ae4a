import { emptyTestDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";

/** Hands out what arrives, in order, as promises. */
function mailbox<T>() {
  const arrived: T[] = [];
  const waiting: ((item: T) => void)[] = [];
  return {
    put: (item: T) => {
      const next = waiting.shift();
      if (next === undefined) arrived.push(item);
      else next(item);
    },
    take: () =>
      new Promise<T>((resolve) => {
        const item = arrived.shift();
        if (item === undefined) waiting.push(resolve);
        else resolve(item);
      }),
  };
}

test("a listener hears its channels, and catches up after each connection", async () => {
  await using db = await emptyTestDatabase();
  const heard = mailbox<string>();
  const listener = await db.database.listen({
    channels: ["wake", 'odd "name"'],
    onNotification: (channel, payload) => heard.put(`${channel}: ${payload}`),
    onCatchUp: () => heard.put("catch up"),
    onLoss: () => heard.put("loss"),
  });
  expect(await heard.take()).toBe("catch up");
  await db.database.api.query("select pg_notify('wake', 'one'), pg_notify('odd \"name\"', 'two')");
  expect(await heard.take()).toBe("wake: one");
  expect(await heard.take()).toBe('odd "name": two');

  await db.database.api.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()",
  );
  expect(await heard.take()).toBe("loss");
  expect(await heard.take()).toBe("catch up");
  expect(listener.connected()).toBe(true);
  await db.database.api.query("select pg_notify('wake', 'three')");
  expect(await heard.take()).toBe("wake: three");
});

test("a stopped listener is silent and leaves no connection", async () => {
  await using db = await emptyTestDatabase();
  const heard: string[] = [];
  const listener = await db.database.listen({
    channels: ["wake"],
    onNotification: (_, payload) => heard.push(payload),
    onCatchUp: () => {},
    onLoss: () => heard.push("loss"),
  });
  await Promise.all([listener.stop(), listener.stop()]);
  await db.database.api.query("select pg_notify('wake', 'late')");
  const { rows } = await db.database.api.query(
    "select 1 from pg_stat_activity where query like 'listen%' and datname = current_database()",
  );
  expect(rows).toEqual([]);
  expect(heard).toEqual([]);
  expect(listener.connected()).toBe(false);
});

test("a first connection that fails is thrown", async () => {
  const db = await emptyTestDatabase();
  await db.drop();
  const late = db.connectAgain("late");
  await expect(
    late.listen({ channels: ["wake"], onNotification: () => {}, onCatchUp: () => {} }),
  ).rejects.toThrow("does not exist");
  await late.close();
});
