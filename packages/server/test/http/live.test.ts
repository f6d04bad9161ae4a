/** `GET /live`: several topics over one connection, at any server. */
import type { Dispatch } from "@millrace/protocol";
import { describe, expect, it } from "vitest";
import { eventsAt, node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- events of all topics
type Event = any;
const patient = { timeout: 15_000 };

/** Reads in the background until the server ends. */
function follow(server: ServerFixture["server"], topics: string, headers: object = {}): Event[] {
  const seen: Event[] = [];
  void (async () => {
    for await (const event of eventsAt(server, `/live?topics=${topics}`, headers)) seen.push(event);
  })().catch(() => undefined);
  return seen;
}

function of(seen: readonly Event[], topic: string): Event[] {
  return seen.filter((event) => event.topic === topic);
}

const event = (id: string): object => ({ specversion: "1.0", id, source: "/shop", type: "order.paid" });

describe("one connection", () => {
  it("tells of a run, of all runs, and of the log", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const { id } = await fixture.start("p");
    const seen = follow(fixture.server, `log,activity,run:${id},run:r0000000000000000`);
    await expect.poll(() => of(seen, `run:${id}`)[0]?.data.kind, patient).toBe("snapshot");
    // A topic that there is not is told of, and the others go on.
    await expect
      .poll(() => of(seen, "run:r0000000000000000")[0]?.refused.code, patient)
      .toBe("MILLRACE_RUN_UNKNOWN");
    await fixture.worker({ answer: () => succeeded(1) });
    await expect.poll(() => of(seen, `run:${id}`).at(-1)?.data.kind, patient).toBe("end");
    // Of workers, which have no pipeline, it tells as well.
    await expect
      .poll(() => of(seen, "activity").flatMap(({ data }) => data.pipelines), patient)
      .toContain("p");
    await fixture.call("POST", "/events", event("1"));
    await expect.poll(() => of(seen, "log").at(-1)?.data.event.id, patient).toBe("1");
  });

  it("goes on in the log where a reader was", async () => {
    await using fixture = await startFixture();
    await fixture.call("POST", "/events", event("1"));
    const { position } = (await fixture.call("POST", "/events", event("2"))).body;
    await fixture.call("POST", "/events", event("3"));
    const seen = follow(fixture.server, "log", { "last-event-id": String(position) });
    await expect.poll(() => seen.map(({ data }) => data.event.id), patient).toEqual(["3"]);
  });

  it("refuses topics that there are not", async () => {
    await using fixture = await startFixture();
    for (const topics of ["", "?topics=", "?topics=logs", "?topics=log,run:"]) {
      const { status, body } = await fixture.call("GET", `/live${topics}`);
      expect([topics, status, body.code]).toEqual([topics, 400, "MILLRACE_REQUEST_INVALID"]);
    }
    const many = Array.from({ length: 51 }, (_, at) => `run:r${at}`).join(",");
    expect((await fixture.call("GET", `/live?topics=${many}`)).body.detail).toContain("50 may be followed");
  });
});

it("what happens at one server is told at another", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])]);
  await using other = await fixture.anotherServer();
  await expect.poll(async () => (await other.call("GET", "/info")).body.shards, { timeout: 20_000 }).toBe(32);
  const servers = [fixture.server, other.server];
  const held: Dispatch[] = [];
  const worker = await fixture.worker({
    hello: { slots: 10 },
    answer: (dispatch) => {
      held.push(dispatch);
      return undefined;
    },
  });
  // Runs of shards of either server.
  const runs = await Promise.all(Array.from({ length: 6 }, () => fixture.start("p")));
  const topics = ["activity", ...runs.map(({ id }) => `run:${id}`)].join(",");
  const streams = servers.map((server) => follow(server, topics));
  for (const seen of streams)
    await expect.poll(() => seen.filter((one) => one.data?.kind === "snapshot").length, patient).toBe(6);
  await expect.poll(() => held.length, patient).toBe(6);
  // All that was under way has been told.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  for (const seen of streams) seen.length = 0;
  for (const dispatch of held) worker.finish(dispatch);
  for (const seen of streams) {
    await expect.poll(() => seen.filter((one) => one.data?.kind === "end").length, patient).toBe(6);
    await expect.poll(() => of(seen, "activity")[0]?.data, patient).toEqual({ pipelines: ["p"] });
  }
}, 90_000);
