import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { node, pipeline, startFixture, startFreshFixture, type ServerFixture } from "./server-fixture.ts";

describe("a server", () => {
  it("says which port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    await expect(startFixture({ port })).rejects.toMatchObject({ code: "MILLRACE_PORT_TAKEN" });
    await new Promise((resolve) => taken.close(resolve));
  });

  it("says that an address is none of this machine's", async () => {
    // An address for documentation, which no machine has.
    const elsewhere = { host: "192.0.2.1", port: 4_600, token: "t", publicUrl: "http://millrace.test" };
    await expect(startFixture(elsewhere)).rejects.toMatchObject({
      code: "MILLRACE_REQUEST_INVALID",
      message: expect.stringContaining("Can't listen on 192.0.2.1:4600: listen EADDRNOTAVAIL"),
    });
  });

  it("hands over at its end, and another one goes on with its runs", async () => {
    await using first = await startFixture();
    await first.deploy([pipeline("p", [node("a")])]);
    const run = await first.start("p");
    await using second = await startFixture({ database: first.database.connection });
    await first.server.stop();
    await first.server.stop();
    await expect.poll(() => second.server.info().shards, { timeout: 10_000 }).toBe(64);
    const worker = await second.worker();
    worker.finish(await worker.dispatch("a"));
    expect((await second.ended(run.id)).run.state).toBe("succeeded");
  }, 30_000);

  it("tells once of connections that are lost together while idle", async () => {
    await using fixture = await startFixture();
    await Promise.all(Array.from({ length: 8 }, () => fixture.call("GET", "/pipelines")));
    await endConnections(fixture);
    await expect.poll(() => idleLosses(fixture), { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(() => fixture.call("GET", "/pipelines")).toMatchObject({ status: 200 });
    expect(idleLosses(fixture)).toBe(1);
  }, 30_000);

  it("tells nothing of connections that are lost while it stops", async () => {
    await using fixture = await startFixture();
    await Promise.all(Array.from({ length: 8 }, () => fixture.call("GET", "/pipelines")));
    const stopped = fixture.server.stop();
    await endConnections(fixture);
    await stopped;
    expect(idleLosses(fixture)).toBe(0);
  }, 30_000);

  it("stops although its database is gone", async () => {
    await using fixture = await startFreshFixture();
    await fixture.database.drop();
    await fixture.server.stop();
    expect(fixture.logged.join("\n")).toContain("could not hand over");
  }, 30_000);

  it("starts again in place when it was fenced", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const before = fixture.server.info().node;
    await fixture.database.database.api.query("update node set fenced = true");
    await fixture.database.database.api.query("update shard set node_id = null");
    await fixture.call("POST", "/runs", { pipeline: "p" }).catch(() => undefined);
    await expect
      .poll(() => fixture.server.info(), { timeout: 10_000 })
      .toMatchObject({ state: "ready", shards: 64 });
    expect(fixture.server.info().node).not.toBe(before);
    expect((await fixture.start("p")).state).toBe("running");
  }, 30_000);

  it("makes partitions for the next days and drops those that are too old", async () => {
    await using fixture = await startFreshFixture();
    const { api } = fixture.database.database;
    const partitions = async (): Promise<string[]> => {
      const { rows } = await api.query<{ name: string }>(
        "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'run_history'::regclass order by 1",
      );
      return rows.map((row) => row.name);
    };
    await expect.poll(async () => (await partitions()).length, { timeout: 10_000 }).toBe(5);
    await api.query(
      "insert into run_history (workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, created_at, ended_at) values (1, 'r', 'live', 0, 'p', 'x', 'b', 1, 'failed', 0, now(), now() + interval '40 days')",
    );
    const later = "now() + interval '40 days'";
    const { rows } = await api.query<{ made: string[]; dropped: string[] }>(
      `select made, dropped from keep_partitions('run_history', 'ended_at', ${later}, 4, 30)`,
    );
    expect(rows[0]?.made).toHaveLength(4);
    expect(rows[0]?.dropped).toHaveLength(4);
    const moved = await api.query<{ name: string }>(
      "select tableoid::regclass::text as name from run_history",
    );
    expect(moved.rows[0]?.name).toBe(rows[0]?.made[0]);
  });

  it("describes its routes", async () => {
    await using fixture = await startFixture();
    const { body } = await fixture.call("GET", "/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(body.paths["/api/v1/runs"].post.requestBody.content["application/json"].schema).toEqual({
      $ref: "#/components/schemas/StartRunRequest",
    });
    expect(body.components.schemas.StartRunRequest.required).toEqual(["pipeline"]);
    expect(Object.keys(body.paths)).toContain("/api/v1/runs/{id}/events");
  });

  it("parts from a worker of another protocol for good", async () => {
    await using fixture = await startFixture();
    const worker = await fixture.worker({ hello: { protocol: 2 } });
    expect(worker.received).toMatchObject([
      { kind: "goodbye", code: "MILLRACE_PROTOCOL_VERSION", retry: false },
    ]);
  });
});

function idleLosses(fixture: ServerFixture): number {
  return fixture.logged.filter((line) => line.includes("lost while idle")).length;
}

async function endConnections(fixture: ServerFixture): Promise<void> {
  await fixture.database.database.api.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query not ilike 'listen%'`,
  );
}
