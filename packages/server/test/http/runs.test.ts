import type { RunEvent } from "@millrace/protocol";
import { describe, expect, it } from "vitest";
import { failed, node, pipeline, reads, startFixture, succeeded } from "./server-fixture.ts";

const schema = {
  type: "object",
  properties: {
    day: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d$" },
    rows: { type: "integer", default: 7 },
  },
  required: ["day"],
  additionalProperties: false,
};

describe("starting runs", () => {
  it("runs a pipeline on a worker and shows outputs, attempts and states", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a"), reads("b", "a"), node("c")])]);
    await fixture.worker({
      answer: ({ token, input }) =>
        token.node === "c"
          ? failed
          : succeeded({ from: token.node, input: "value" in input ? input.value : 0 }),
    });
    const run = await fixture.start("p", { labels: { team: "x" } });
    const detail = await fixture.ended(run.id);
    expect(detail.run).toMatchObject({ state: "failed", generation: 1, labels: { team: "x" }, params: {} });
    expect(detail.nodes.map(({ id, state }) => [id, state])).toEqual([
      ["a", "succeeded"],
      ["b", "succeeded"],
      ["c", "failed"],
    ]);
    expect(detail.nodes[1]?.output).toEqual({ from: "b", input: { from: "a", input: null } });
    expect(detail.nodes[2]?.attempts).toMatchObject([
      {
        generation: 1,
        attempt: 1,
        dispatch: 1,
        state: "failed",
        worker: "w1",
        error: { message: "it broke" },
      },
    ]);
  });

  it("finds the output of a node that ended just before in the cache", async () => {
    await using fixture = await startFixture();
    const options = { ...node("a").options, cache: { version: "1" } };
    const pairs = Array.from({ length: 8 }, (_, pair) => {
      const input = { kind: "value", value: pair } as const;
      const first = node(`a${pair}`, { name: "t", input, options });
      const second = node(`b${pair}`, { name: "t", input, options, after: [{ node: first.id }] });
      return [first, second];
    });
    await fixture.deploy([pipeline("p", pairs.flat())]);
    await fixture.worker({ answer: ({ token }) => succeeded(token.node) });
    const { nodes } = await fixture.ended((await fixture.start("p")).id);
    const seconds = nodes.filter(({ id }) => id.startsWith("b"));
    expect(seconds.map(({ id, reason, output }) => [id, reason?.code, output])).toEqual(
      pairs.map(([first, second]) => [second!.id, "cached", first!.id]),
    );
  });

  it("lists every fault of parameters with its path, and fills defaults", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")], { params: { schema, validateOnWorker: false } })]);
    const refused = await fixture.call("POST", "/runs", { pipeline: "p", params: { day: "x", other: 1 } });
    expect(refused.status).toBe(422);
    expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(refused.body).toMatchObject({
      code: "MILLRACE_PARAMS_INVALID",
      type: "urn:millrace:error:MILLRACE_PARAMS_INVALID",
    });
    expect(refused.body.fields.issues).toEqual([
      { path: "$.other", message: "is not a parameter" },
      { path: "$.day", message: 'must match ^\\d{4}-\\d\\d-\\d\\d$, found "x"' },
    ]);
    const missing = await fixture.call("POST", "/runs", { pipeline: "p" });
    expect(missing.body.detail).toBe("`day` is missing.");
    const run = await fixture.start("p", { params: { day: "2026-01-01" } });
    const detail = await fixture.call("GET", `/runs/${run.id}`);
    expect(detail.body.run.params).toEqual({ day: "2026-01-01", rows: 7 });
  });

  it("says of a wrong parameter what it must be and what it is, in the words of people", async () => {
    await using fixture = await startFixture();
    const one = {
      type: "object",
      properties: { kind: { const: "a" }, n: { type: "number" } },
      required: ["kind", "n"],
    };
    const odd = {
      type: "object",
      properties: {
        day: { type: "string", format: "date", pattern: "^unreadable$" },
        name: { type: "string", minLength: 2 },
        limit: { type: "integer", minimum: 1 },
        either: { anyOf: [{ type: "string" }, { type: "null" }] },
        one: { oneOf: [one, { ...one, properties: { kind: { const: "b" }, n: { type: "number" } } }] },
      },
    };
    await fixture.deploy([pipeline("p", [node("a")], { params: { schema: odd, validateOnWorker: false } })]);
    const params = { day: "soon", name: "x", limit: 0, either: 5, one: { kind: "c" } };
    const { body } = await fixture.call("POST", "/runs", { pipeline: "p", params });
    expect(body.fields.issues).toEqual([
      { path: "$.day", message: 'must be a date (2026-01-31), found "soon"' },
      { path: "$.name", message: 'must have at least 2 characters, found "x"' },
      { path: "$.limit", message: "must be >= 1, found 0" },
      { path: "$.either", message: "must be a text, found 5" },
      { path: "$.either", message: "must be null, found 5" },
      { path: "$.one.n", message: "is missing" },
      { path: "$.one.kind", message: 'must be "a", found "c"' },
      { path: "$.one.kind", message: 'must be "b", found "c"' },
    ]);
  });

  it("says why a task run is queued, and a run", async () => {
    await using fixture = await startFixture();
    const options = node("x").options;
    const nodes = [
      node("small", { options: { ...options, pool: { name: "warehouse", slots: 3 } } }),
      node("gpu", { options: { ...options, queue: "gpu" } }),
      node("first"),
      node("second", { after: [{ node: "first" }] }),
    ];
    const single = pipeline("single", [node("gpu", { options: { ...options, queue: "gpu" } })], {
      maxActiveRuns: 1,
    });
    await fixture.deploy([pipeline("p", nodes), single], { pools: { warehouse: 2 }, queues: ["gpu"] });
    const reasons = async (id: string): Promise<unknown[]> => {
      const { body } = await fixture.call("GET", `/runs/${id}`);
      return body.nodes.map((one: { reason?: { code: string } }) => one.reason?.code);
    };
    const run = await fixture.start("p");
    expect(await reasons(run.id)).toEqual(["pool_too_small", "no_worker", "no_worker", undefined]);
    const worker = await fixture.worker({ hello: { slots: 1 } });
    await worker.dispatch("first");
    await fixture.start("single");
    const second = await fixture.start("single");
    expect(await reasons(run.id)).toEqual(["pool_too_small", "no_worker", undefined, undefined]);
    expect((await fixture.call("GET", `/runs/${second.id}`)).body.run).toMatchObject({
      state: "queued",
      reason: { code: "max_active_runs", fields: { maxActiveRuns: 1 } },
    });
  });

  it("says which limit a task run waits for, and that it waits for its turn", async () => {
    await using fixture = await startFixture();
    const options = node("x").options;
    const of = (slots: number) => ({ options: { ...options, pool: { name: "warehouse", slots } } });
    const keyed = {
      options: { ...options, concurrency: { key: { kind: "value", value: "eu" } as const, limit: 1 } },
    };
    const pools = [node("a", of(2)), node("b", of(3)), node("c", of(1))];
    const definitions = [pipeline("pools", pools), pipeline("keys", [node("load", keyed)])];
    await fixture.deploy(definitions, { pools: { warehouse: 4 } });
    const worker = await fixture.worker({ hello: { slots: 9 } });
    const run = await fixture.start("pools");
    await worker.dispatch("a");
    const [first, second] = [await fixture.start("keys"), await fixture.start("keys")];
    await worker.dispatch("load");
    const reasons = async (id: string): Promise<unknown[]> => {
      const { body } = await fixture.call("GET", `/runs/${id}`);
      return body.nodes.map((one: { reason?: { message: string } }) => one.reason?.message);
    };
    expect(await reasons(run.id)).toEqual([
      undefined,
      'It takes 3 slots of the pool "warehouse", of which 2 of 4 are in use.',
      'It takes 1 slot of the pool "warehouse", of which 2 of 4 are in use, and others asked for theirs before.',
    ]);
    expect((await fixture.call("GET", "/pools")).body.items).toMatchObject([
      { name: "warehouse", slots: 4, used: 2, waiting: 2, setByOperator: false },
    ]);
    expect([...(await reasons(first.id)), ...(await reasons(second.id))].filter(Boolean)).toEqual([
      'At most one task run of "load" with the key "eu" may run at once (`concurrency`), and one does.',
    ]);
  });

  it("keeps large parameters as a blob and still gives them to tasks", async () => {
    await using fixture = await startFixture();
    const whole = { kind: "params", path: ["text"] } as const;
    await fixture.deploy([pipeline("p", [node("a", { input: whole })])]);
    const text = "x".repeat(100_000);
    const worker = await fixture.worker({ answer: () => succeeded(1) });
    const run = await fixture.start("p", { params: { text } });
    const { input } = await worker.dispatch("a");
    if (!("blob" in input)) throw new Error("the input came inline");
    expect((await fixture.call("GET", `/blobs/${input.blob}`)).body).toBe(JSON.stringify(text));
    expect((await fixture.ended(run.id)).run.params).toEqual({ text });
  });

  it("answers a repeated key with the first run, also after its end", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await fixture.worker({ answer: () => succeeded(1) });
    const first = await fixture.call("POST", "/runs", { pipeline: "p", idempotencyKey: "k" });
    await fixture.ended(first.body.run.id);
    const second = await fixture.call("POST", "/runs", { pipeline: "p", idempotencyKey: "k" });
    expect(first.body.created).toBe(true);
    expect(second.body).toMatchObject({ created: false, run: { id: first.body.run.id, state: "succeeded" } });
  });

  it("refuses a key that has started a run of another pipeline", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")]), pipeline("q", [node("a")])]);
    const first = await fixture.call("POST", "/runs", { pipeline: "p", idempotencyKey: "k" });
    expect(await fixture.call("POST", "/runs", { pipeline: "q", idempotencyKey: "k" })).toMatchObject({
      status: 409,
      body: { code: "MILLRACE_IDEMPOTENCY_CONFLICT", fields: { run: first.body.run.id, pipeline: "p" } },
    });
    expect((await fixture.call("GET", "/runs?pipeline=q")).body.items).toEqual([]);
  });

  it("refuses unknown pipelines, members and paused ones", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("daily", [node("a")])]);
    const unknown = await fixture.call("POST", "/runs", { pipeline: "dayly" });
    expect(unknown).toMatchObject({ status: 404, body: { code: "MILLRACE_PIPELINE_UNKNOWN" } });
    expect(unknown.body.detail).toContain('"daily"');
    const misspelt = await fixture.call("POST", "/runs", { pipeline: "daily", param: {} });
    expect(misspelt).toMatchObject({
      status: 400,
      body: { code: "MILLRACE_REQUEST_INVALID", fields: { path: "/param" } },
    });
    expect((await fixture.call("POST", "/pipelines/daily/pause")).body).toMatchObject({
      paused: true,
      pausedByOperator: true,
    });
    expect(await fixture.call("POST", "/runs", { pipeline: "daily" })).toMatchObject({
      status: 409,
      body: { code: "MILLRACE_PIPELINE_PAUSED" },
    });
    expect((await fixture.start("daily", { force: true })).state).toBe("running");
  });
});

describe("reading runs", () => {
  it("pages through runs, newest first, by pipeline, state and label", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")]), pipeline("q", [node("a")])]);
    await fixture.worker({ answer: ({ pipeline: name }) => (name === "q" ? succeeded(1) : undefined) });
    const ids: string[] = [];
    for (const [name, day] of [
      ["p", "1"],
      ["q", "1"],
      ["p", "2"],
      ["q", "2"],
      ["p", "3"],
    ] as const) {
      const run = await fixture.start(name, { labels: { day } });
      ids.push(run.id);
      if (name === "q") await fixture.ended(run.id);
    }
    const seen: string[] = [];
    for (let cursor: string | undefined = "", pages = 0; cursor !== undefined; pages += 1) {
      const page = await fixture.call("GET", `/runs?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.body.items.map((run: { id: string }) => run.id));
      cursor = page.body.nextCursor;
      // A run that begins meanwhile moves nothing.
      if (pages === 0) await fixture.start("p");
    }
    expect(seen).toEqual(ids.toReversed());
    const idsOf = async (query: string): Promise<string[]> =>
      (await fixture.call("GET", `/runs?${query}`)).body.items.map((run: { id: string }) => run.id);
    expect(await idsOf("pipeline=q")).toEqual([ids[3], ids[1]]);
    expect(await idsOf("state=succeeded&label=day:2")).toEqual([ids[3]]);
    expect((await fixture.call("GET", "/runs?state=succeded")).body.detail).toContain(
      "did you mean succeeded?",
    );
  });

  it("pages through nodes in the graph's order, items by number", async () => {
    await using fixture = await startFixture();
    const mapped = { region: "m", input: { kind: "item", region: "m", path: [] } } as const;
    const region = {
      id: "m",
      over: [{ kind: "output", node: "list", path: [] }],
      combine: "zip",
      settled: false,
    } as const;
    await fixture.deploy([pipeline("p", [node("list"), node("m", mapped)], { regions: [region] })]);
    const items = Array.from({ length: 12 }, (_, index) => index);
    await fixture.worker({ answer: ({ token }) => succeeded(token.node === "list" ? items : token.item) });
    const run = await fixture.start("p");
    const detail = await fixture.ended(run.id);
    const names = ["list", ...items.map((item) => `m${item}`)];
    expect(detail.nodes.map((view) => `${view.id}${view.item}`)).toEqual(names);
    const seen: string[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined;) {
      const path = `/runs/${run.id}/nodes?limit=5${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const page = await fixture.call("GET", path);
      seen.push(...page.body.items.map((view: { id: string; item: string }) => `${view.id}${view.item}`));
      cursor = page.body.nextCursor;
    }
    expect(seen).toEqual(names);
  });

  it("streams a snapshot, changes, progress and logs, and ends", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const run = await fixture.start("p");
    const events = fixture.events(run.id, "?logs=true");
    expect((await events.next()).value).toMatchObject({
      kind: "snapshot",
      detail: { nodes: [{ id: "a", state: "queued" }] },
    });
    const worker = await fixture.worker();
    const dispatch = await worker.dispatch("a");
    const { token } = dispatch;
    const kinds: string[] = [];
    const texts: string[] = [];
    const note = (event: RunEvent): void => {
      kinds.push(event.kind === "node" ? `node ${event.node.state}` : event.kind);
      if (event.kind === "log") texts.push(event.entry.text);
      if (event.kind === "end") expect(event.run.state).toBe("succeeded");
    };
    while (!kinds.includes("node running")) note((await events.next()).value);
    worker.send({ kind: "progress", token, fraction: 0.5, message: "half" });
    const line = { at: 1, stream: "stdout", level: "info", text: "hello" } as const;
    worker.send({ kind: "logs", token, attempt: 1, from: 0, lines: [line] });
    worker.send({ kind: "logs", token, attempt: 1, from: 0, lines: [line, { ...line, text: "again" }] });
    worker.finish(dispatch, succeeded(42));
    for await (const event of events) note(event);
    expect(kinds).toEqual(
      expect.arrayContaining(["node running", "progress", "log", "node succeeded", "end"]),
    );
    expect(kinds.at(-1)).toBe("end");
    expect(texts).toEqual(["hello", "again"]);
  });

  it("keeps logs and artifacts of attempts", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const run = await fixture.start("p");
    const worker = await fixture.worker();
    const dispatch = await worker.dispatch("a");
    const { token } = dispatch;
    const line = { at: 1, stream: "log", level: "info", text: "1" } as const;
    worker.send({ kind: "logs", token, attempt: 1, from: 0, lines: [line, { ...line, text: "2" }] });
    worker.send({ kind: "logs", token, attempt: 1, from: 2, lines: [{ ...line, text: "3" }] });
    const artifact = {
      name: "notes",
      type: "markdown",
      mediaType: "text/markdown",
      blob: "a".repeat(64),
      bytes: 3,
    } as const;
    worker.send({ kind: "artifact", token, attempt: 1, ...artifact });
    worker.finish(dispatch);
    await fixture.ended(run.id);
    await expect
      .poll(async () =>
        (await fixture.call("GET", `/runs/${run.id}/logs`)).body.items.map(
          (entry: { text: string }) => entry.text,
        ),
      )
      .toEqual(["1", "2", "3"]);
    const first = await fixture.call("GET", `/runs/${run.id}/logs?limit=2&node=a`);
    const second = await fixture.call("GET", `/runs/${run.id}/logs?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.items).toMatchObject([{ text: "3", position: 2, node: "a", attempt: 1 }]);
    await expect
      .poll(async () => (await fixture.call("GET", `/runs/${run.id}/artifacts`)).body.items)
      .toEqual([{ node: "a", item: "", generation: 1, attempt: 1, ...artifact }]);
  });

  it("refuses ids, cursors and queries that are none", async () => {
    await using fixture = await startFixture();
    expect(await fixture.call("GET", "/runs/nothing")).toMatchObject({
      status: 404,
      body: { code: "MILLRACE_RUN_UNKNOWN" },
    });
    expect(await fixture.call("GET", "/runs?cursor=zzz")).toMatchObject({ status: 400 });
    expect(await fixture.call("GET", "/runs?limit=0")).toMatchObject({ status: 400 });
    expect((await fixture.call("GET", "/runs?pipelin=p")).body.detail).toContain("did you mean pipeline?");
    expect(await fixture.call("GET", "/nothing")).toMatchObject({
      status: 404,
      body: { code: "MILLRACE_NOT_FOUND" },
    });
    expect((await fixture.call("POST", "/runs", "{")).body.code).toBe("MILLRACE_REQUEST_INVALID");
    const large = await fixture.call("POST", "/runs", { pipeline: "x".repeat(2_000_000) });
    expect(large).toMatchObject({ status: 413, body: { code: "MILLRACE_REQUEST_TOO_LARGE" } });
    expect(large.body.detail).toContain("1048576 bytes");
    const badUrl = await fixture.call("GET", "/pipelines/%ff");
    expect(badUrl).toMatchObject({ status: 400, body: { code: "MILLRACE_REQUEST_INVALID" } });
    expect(badUrl.headers.get("content-type")).toContain("application/problem+json");
  });

  it("refuses text that PostgreSQL can't hold before it gets there", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const refused = { status: 400, body: { code: "MILLRACE_REQUEST_INVALID" } };
    for (const bad of ["\u0000", "\ud800"]) {
      expect(await fixture.call("POST", "/runs", { pipeline: `p${bad}` })).toMatchObject(refused);
      for (const labels of [{ a: bad }, { [bad]: "a" }])
        expect(await fixture.call("POST", "/runs", { pipeline: "p", labels })).toMatchObject(refused);
      expect(await fixture.call("POST", "/runs", { pipeline: "p", idempotencyKey: bad })).toMatchObject(
        refused,
      );
    }
    for (const path of ["/pipelines/a%00", "/runs?pipeline=%00", "/runs?label=a:%00"])
      expect(await fixture.call("GET", path)).toMatchObject(refused);
    expect(await fixture.call("POST", "/pipelines/a%00/pause")).toMatchObject(refused);
    const constant = node("a", { input: { kind: "value", value: ["\u0000"] } });
    for (const bad of [
      pipeline("q", [constant]),
      pipeline("q", [node("a")], { description: "\ud800" }),
      pipeline("q\u0000", [node("a")]),
    ])
      expect((await fixture.deploy([bad])).body.code).toBe("MILLRACE_OPTION_INVALID");
    // Inside a value both are fine: a value is not looked into by the database.
    await fixture.start("p", { params: { text: "\u0000\ud800" } });
    expect((await fixture.call("GET", "/runs?label=a:b")).body.items).toEqual([]);
  });

  it("refuses a body that is nested without end", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const nested = (depth: number): string =>
      `{"pipeline":"p","params":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`;
    const deep = await fixture.call("POST", "/runs", nested(20_000));
    expect(deep).toMatchObject({ status: 400, body: { code: "MILLRACE_REQUEST_INVALID" } });
    expect(deep.body.detail).toContain("nested");
    expect((await fixture.call("POST", "/runs", nested(900))).status).toBe(200);
    expect((await fixture.call("GET", "/runs")).body.items).toHaveLength(1);
  });
});
