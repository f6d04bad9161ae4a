/** Runs are watched at any server of a database, wherever their workers are connected. */
import type { Dispatch, LogLine } from "@millrace/protocol";
import { describe, expect, it } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

function line(text: string): LogLine {
  return { at: 1, stream: "log", level: "info", text };
}

/** Two servers that share the shards. */
async function startTwo(fixture: ServerFixture): ReturnType<ServerFixture["anotherServer"]> {
  const other = await fixture.anotherServer();
  const shards = async (): Promise<number> => (await other.call("GET", "/info")).body.shards;
  await expect.poll(shards, { timeout: 20_000 }).toBe(32);
  return other;
}

// oxlint-disable-next-line typescript/no-explicit-any -- events of all kinds
type Event = any;

/** Reads a stream to its end in the background. */
function follow(events: AsyncGenerator<Event>): { readonly seen: Event[]; readonly ended: Promise<void> } {
  const seen: Event[] = [];
  const ended = (async () => {
    for await (const event of events) seen.push(event);
  })();
  return { seen, ended };
}

function textsOf(seen: readonly Event[]): string[] {
  return seen.flatMap((event) => (event.kind === "log" ? [event.entry.text] : []));
}

const patient = { timeout: 10_000 };

it("a run that is begun at a server that has just joined waits for its first shard", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])]);
  await using other = await fixture.anotherServer();
  expect((await other.call("GET", "/info")).body.shards).toBe(0);
  expect((await other.call("POST", "/runs", { pipeline: "p" })).status).toBe(200);
  expect((await other.call("GET", "/info")).body.shards).toBeGreaterThan(0);
});

describe("a server whose workers are elsewhere", () => {
  it("tells log lines and progress live, each line once, all of them before the end", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await using other = await startTwo(fixture);
    // Runs of shards of either server.
    for (const start of [fixture.call.bind(fixture), other.call]) {
      const worker = await fixture.worker({ hello: { workerId: `w-${Math.random()}` } });
      const { id } = (await start("POST", "/runs", { pipeline: "p" })).body.run;
      const { token } = await worker.dispatch("a");
      const logs = (from: number, ...texts: string[]): void =>
        worker.send({ kind: "logs", token, attempt: 1, from, lines: texts.map(line) });
      logs(0, "before");
      worker.send({ kind: "progress", token, fraction: 0.25 });
      await expect
        .poll(async () => (await other.call("GET", `/runs/${id}/logs`)).body.items.length, patient)
        .toBe(1);
      const { seen, ended } = follow(other.events(id, "?logs=true"));
      // What was told before anybody watched.
      await expect
        .poll(() => seen.filter(({ kind }) => kind === "progress"), patient)
        .toMatchObject([{ fraction: 0.25 }]);
      logs(1, "one", "two");
      await expect.poll(() => textsOf(seen), patient).toContain("two");
      logs(2, "two", "three");
      worker.send({ kind: "progress", token, fraction: 0.5, message: "half" });
      await expect.poll(() => textsOf(seen), patient).toContain("three");
      await expect
        .poll(() => seen.filter(({ kind }) => kind === "progress").at(-1), patient)
        .toEqual({ kind: "progress", node: "a", item: "", fraction: 0.5, message: "half" });
      const detail = (await other.call("GET", `/runs/${id}`)).body;
      expect(detail.nodes[0].progress).toEqual({ fraction: 0.5, message: "half" });
      logs(4, "last");
      worker.finish({ token } as never);
      await ended;
      const texts = textsOf(seen);
      expect(texts.filter((text) => text !== "before")).toEqual(["one", "two", "three", "last"]);
      expect(seen.at(-1)).toMatchObject({ kind: "end", run: { state: "succeeded" } });
      worker.socket.terminate();
    }
  }, 60_000);

  it("tells of all nodes, also those that the snapshot has no room for", async () => {
    const items = Array.from({ length: 1_200 }, (_, at) => at);
    const held: Dispatch[] = [];
    await using fixture = await startFixture();
    const mapped = { region: "m", input: { kind: "item", region: "m", path: [] } } as const;
    const region = {
      id: "m",
      over: [{ kind: "output", node: "list", path: [] }],
      combine: "zip",
      settled: false,
    } as const;
    await fixture.deploy([pipeline("p", [node("list"), node("m", mapped)], { regions: [region] })]);
    await using other = await startTwo(fixture);
    const worker = await fixture.worker({
      hello: { slots: 2_000 },
      answer: (dispatch) => {
        if (dispatch.token.node === "list") return succeeded(items);
        held.push(dispatch);
        return undefined;
      },
    });
    const { id } = (await other.call("POST", "/runs", { pipeline: "p" })).body.run;
    await expect.poll(() => held.length, patient).toBe(items.length);
    const streams = [follow(fixture.events(id)), follow(other.events(id))];
    await expect.poll(() => streams.every(({ seen }) => seen[0]?.kind === "snapshot"), patient).toBe(true);
    for (const dispatch of held) worker.finish(dispatch);
    for (const { seen, ended } of streams) {
      await ended;
      expect(seen[0].detail.nodes).toHaveLength(1_000);
      const done = seen.filter(({ kind, node: told }) => kind === "node" && told.state === "succeeded");
      expect(new Set(done.map(({ node: told }) => told.item))).toEqual(new Set(items.map(String)));
    }
  }, 60_000);

  it("tells what was logged while its connection to the database was away", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await using other = await startTwo(fixture);
    const worker = await fixture.worker();
    const { id } = (await other.call("POST", "/runs", { pipeline: "p" })).body.run;
    const { token } = await worker.dispatch("a");
    const { seen, ended } = follow(other.events(id, "?logs=true"));
    let position = 0;
    const say = (text: string): void => {
      worker.send({ kind: "logs", token, attempt: 1, from: position, lines: [line(text)] });
      position += 1;
    };
    say("first");
    await expect.poll(() => textsOf(seen), patient).toEqual(["first"]);
    // Nobody listens while these are announced.
    for (let round = 0; round < 3; round += 1) {
      await fixture.database.database.api.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`,
      );
      say(`lost ${round}`);
    }
    await expect.poll(() => textsOf(seen), patient).toEqual(["first", "lost 0", "lost 1", "lost 2"]);
    worker.finish({ token } as never);
    await ended;
    expect(textsOf(seen)).toHaveLength(4);
  }, 60_000);

  it("says nothing to other servers while nobody watches", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await using other = await startTwo(fixture);
    const heard: string[] = [];
    const listener = await fixture.database.database.listen({
      channels: ["millrace_live"],
      onNotification: (_channel, payload) => heard.push(payload),
      onCatchUp: () => {},
    });
    const worker = await fixture.worker();
    const { id } = (await other.call("POST", "/runs", { pipeline: "p" })).body.run;
    const { token } = await worker.dispatch("a");
    worker.send({ kind: "logs", token, attempt: 1, from: 0, lines: [line("unheard")] });
    worker.send({ kind: "progress", token, fraction: 0.5 });
    await expect
      .poll(async () => (await fixture.call("GET", `/runs/${id}/logs`)).body.items.length, patient)
      .toBe(1);
    expect(heard).toEqual([]);
    // It would have been heard.
    const { ended } = follow(other.events(id));
    await expect.poll(() => heard.length, patient).toBeGreaterThan(0);
    worker.finish({ token } as never);
    await ended;
    await listener.stop();
  }, 60_000);
});
