/** What others may try: the server refuses it, tells nothing, changes nothing, and lives on. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "../server-fixture.ts";
import { exchangeRaw, isStream, routesOf, send, type Raw, type Route } from "./crawl.ts";

let folder: string;
let fixture: ServerFixture;
let url: string;
let host: string;
let routes: Route[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-security-"));
  const page = join(folder, "page");
  await mkdir(join(page, "assets"), { recursive: true });
  await writeFile(join(page, "index.html"), "<!doctype html><title>the page</title>");
  await writeFile(join(page, "assets", "index-abc.js"), "console.log(1)");
  await writeFile(join(folder, "secret.js"), "a secret");
  fixture = await startFixture({ pageFolder: page });
  url = fixture.server.url;
  ({ host } = new URL(url));
  await fixture.worker({ answer: () => succeeded(1) });
  const approval = { onReject: "fail", title: "Now?" } as const;
  const asks = node("ask", { kind: "wait", wait: { onTimeout: "fail", approval } });
  const definition = { assets: [{ name: "lake/a", tags: [] }], pools: { pool: 2 } };
  await fixture.deploy(
    [pipeline("p", [node("a", { writes: ["lake/a"] })]), pipeline("asks", [asks])],
    definition,
  );
  const { id } = await fixture.start("p");
  await fixture.ended(id);
  const waiting = await fixture.start("asks");
  // Until it waits outside of memory: from then on nothing changes by itself.
  while ((await asleep()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const parts = {
    id,
    name: "p",
    pipeline: "p",
    asset: "lake/a",
    partition: "x",
    position: "1",
    kind: "pipeline",
    firing: "none",
    hash: "0".repeat(64),
    "/api/v1/approvals/{id}": `${waiting.id}/ask:1`,
  };
  routes = await routesOf(fixture, parts);
});

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function asleep(): Promise<number> {
  const { rows } = await fixture.database.database.api.query<{ id: string }>(
    "select id from run where wake_at is not null",
  );
  return rows.length;
}

/** It goes on, and nothing went wrong of which it did not know. */
async function expectWell(): Promise<void> {
  expect((await fixture.call("GET", "/info")).status).toBe(200);
  expect(fixture.logged.filter((line) => line.includes("unexpectedly"))).toEqual([]);
}

function expectGuarded(what: string, { status, headers }: Raw): void {
  expect([what, status]).not.toEqual([what, 0]);
  expect([what, headers["x-content-type-options"]]).toEqual([what, "nosniff"]);
  const policy = headers["content-security-policy"] ?? "";
  expect([what, /^sandbox$|default-src 'none'.*frame-ancestors 'none'/.test(policy)]).toEqual([what, true]);
  expect([what, headers["x-frame-options"]]).toEqual([what, "DENY"]);
  expect([what, headers["cross-origin-resource-policy"]]).toEqual([what, "same-origin"]);
  expect([what, Object.keys(headers).filter((name) => name.startsWith("access-control"))]).toEqual([
    what,
    [],
  ]);
}

function get(path: string, headers: { [name: string]: string } = {}): Promise<Raw> {
  return send(url, "GET", path, { headers });
}

const ofNothing = "d41d8cd98f00b204e9800998ecf8427e";

/** Of all tables but those in which servers note that they live. */
async function contents(): Promise<{ [table: string]: string }> {
  const { rows } = await fixture.database.database.api.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'millrace'::regnamespace and relkind = 'r'
      and relname not in ('node', 'shard', 'worker_connection') order by relname`,
  );
  const found: { [table: string]: string } = {};
  for (const { name } of rows) {
    const { rows: sums } = await fixture.database.database.api.query<{ sum: string }>(
      `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as sum from millrace.${name} as t`,
    );
    if (sums[0]!.sum !== ofNothing) found[name] = sums[0]!.sum;
  }
  return found;
}

describe("reading", () => {
  test("nothing that is read changes anything, and each answer is guarded", async () => {
    const before = await contents();
    const reads = routes.filter(({ method }) => method === "GET" || method === "HEAD");
    expect(reads.length).toBeGreaterThan(40);
    for (const route of reads) {
      const topics = route.template.endsWith("/live") ? "?topics=log" : "";
      const plain = await send(url, route.method, `${route.path}${topics}`);
      expectGuarded(`${route.method} ${route.path}`, plain);
      expect([route.path, plain.status < 500]).toEqual([route.path, true]);
      if (isStream(route)) continue;
      for (const name of route.query)
        for (const value of [
          "<script>alert(1)</script>",
          "'; drop table run; --",
          "-1",
          "%FF%FE",
          "a".repeat(3_000),
        ]) {
          const answer = await get(`${route.path}?${name}=${encodeURIComponent(value)}`);
          expectGuarded(`${route.path}?${name}`, answer);
          expect([route.path, name, value, answer.status < 500]).toEqual([route.path, name, value, true]);
          expect(answer.headers["content-type"]).toMatch(
            route.template.endsWith("/log") ? /json|text.plain/ : /json/,
          );
        }
    }
    expect(await contents()).toEqual(before);
    await expectWell();
  }, 60_000);

  test("refusals are guarded, too, wherever they come from", async () => {
    const cases: readonly [string, Raw][] = [
      ["nothing there", await get("/api/v1/none")],
      ["no page", await get("/none.js")],
      ["the page", await get("/")],
      ["its file", await get("/assets/index-abc.js")],
      ["no address", await get("/%zz")],
      ["another host", await get("/api/v1/info", { host: "evil.example" })],
      ["another method", await send(url, "DELETE", "/api/v1/runs")],
      ["no hook", await send(url, "POST", "/hooks/none", { body: "{}" })],
      ["no JSON", await send(url, "POST", "/api/v1/runs", { body: "{" })],
      [
        "no media type",
        await send(url, "POST", "/api/v1/runs", { body: "a", headers: { "content-type": "text/plain" } }),
      ],
      ["too long", await get(`/api/v1/pipelines/${"a".repeat(5_000)}`)],
    ];
    for (const [what, answer] of cases) expectGuarded(what, answer);
    await expectWell();
  });

  test("other methods are refused, and nobody is told that another site may ask", async () => {
    for (const method of ["OPTIONS", "TRACE", "DELETE", "PATCH", "PROPFIND", "PURGE"])
      for (const path of ["/", "/api/v1/runs", "/api/v1/pools/p", "/hooks/x"]) {
        const answer = await send(url, method, path, {
          headers: {
            origin: `http://${host}`,
            "access-control-request-method": "PUT",
            cookie: "a=secret-cookie",
          },
        });
        expect([method, path, answer.status]).toEqual([method, path, path.startsWith("/api") ? 405 : 404]);
        expect(answer.body).not.toContain("secret-cookie");
        expectGuarded(`${method} ${path}`, answer);
      }
    for (const method of ["FOO", "get"]) expect((await send(url, method, "/api/v1/info")).status).toBe(400);
    const tunnel = await exchangeRaw(url, `CONNECT evil.example:80 HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    expect(tunnel.status).toBe(0);
    await expectWell();
  });
});

describe("other sites", () => {
  test("their names are not answered, whatever way they come", async () => {
    for (const name of [
      "evil.example",
      "evil.example:80",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "127.0.0.1@evil.example",
      "localhost.",
      "[::2]",
      "0.0.0.0",
      "169.254.169.254",
      "",
    ])
      for (const path of ["/", "/api/v1/info", "/api/v1/live?topics=log"]) {
        const answer = await get(path, { host: name });
        expect([name, path, answer.status]).toEqual([name, path, 403]);
        expect(answer.body).not.toContain("version");
      }
    const twice = await exchangeRaw(
      url,
      `GET /api/v1/info HTTP/1.1\r\nhost: ${host}\r\nhost: evil.example\r\n\r\n`,
    );
    expect(twice.status).toBe(403);
    const none = await exchangeRaw(url, "GET /api/v1/info HTTP/1.0\r\n\r\n");
    expect(none.status).toBe(403);
  });

  test("their pages may lead here, and ask for nothing", async () => {
    const fetched = { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
    const led = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    for (const site of ["cross-site", "same-site"]) {
      for (const path of ["/", "/assets/index-abc.js", "/api/v1/runs", "/api/v1/live?topics=log"])
        expect((await get(path, { "sec-fetch-site": site, ...fetched })).status).toBe(403);
      expect((await get("/runs/r1", { "sec-fetch-site": site, ...led })).status).toBe(200);
      expect((await get("/", { "sec-fetch-site": site, ...led, "sec-fetch-dest": "iframe" })).status).toBe(
        403,
      );
      const form = { headers: { "sec-fetch-site": site, ...led }, body: '{"pipeline":"p"}' };
      expect((await send(url, "POST", "/api/v1/runs", form)).status).toBe(403);
    }
    for (const site of ["same-origin", "none"])
      expect((await get("/api/v1/runs", { "sec-fetch-site": site, ...fetched })).status).toBe(200);
  });

  test("with an Origin of theirs nothing is written", async () => {
    const before = await contents();
    for (const { method, path, mediaTypes } of routes)
      for (const origin of ["http://evil.example", "null", "file://", "http://127.0.0.1.evil.example", "x"]) {
        const headers = { origin, "content-type": mediaTypes[0] ?? "application/json" };
        const answer = await send(url, method, path, { headers, body: method === "GET" ? "" : "{}" });
        expect([path, origin, answer.status]).toEqual([path, origin, 403]);
      }
    // What a form can send without asking first.
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=a",
    ]) {
      const answer = await send(url, "POST", "/api/v1/runs", {
        headers: { "content-type": type },
        body: '{"pipeline":"p"}',
      });
      expect([type, answer.status]).toEqual([type, 400]);
    }
    expect(await contents()).toEqual(before);
    await expectWell();
  }, 30_000);

  test("no page becomes a worker, not even one of this machine", async () => {
    for (const origin of ["http://evil.example", "null", `http://${host}`]) {
      const socket = new WebSocket(`ws://${host}/api/v1/worker`, { origin });
      const told = await new Promise<string>((resolve) => {
        socket.on("open", () => resolve("open"));
        socket.on("error", (error) => resolve(error.message));
      });
      expect(told).toContain("403");
    }
  });
});

test("a token counts in its header alone", async () => {
  await using guarded = await startFixture({ token: "the-token" });
  const ask = (path: string, headers = {}): Promise<Raw> =>
    send(guarded.server.url, "GET", path, { headers });
  for (const name of ["token", "access_token", "authorization", "api_key"])
    expect((await ask(`/api/v1/info?${name}=the-token`)).status).toBe(401);
  for (const headers of [
    { cookie: "token=the-token" },
    { authorization: "Basic dGhlLXRva2Vu" },
    { "x-token": "the-token" },
  ])
    expect((await ask("/api/v1/info", headers)).status).toBe(401);
  expect((await ask("/api/v1/info", { authorization: "Bearer the-token" })).status).toBe(200);
  const { body } = await ask("/api/v1/runs");
  expect(body).not.toContain("the-token");
});

describe("addresses", () => {
  test("no trick leads to a file or past the guard", async () => {
    for (const path of [
      "/..%2f..%2fsecret.js",
      "/%2e%2e/secret.js",
      "/assets/..%5csecret.js",
      "/assets/..\\..\\secret.js",
      "/assets/%2e%2e%2f%2e%2e%2fsecret.js",
      "/assets/..%252fsecret.js",
      "/secret.js%00",
      "/secret.js%00.html",
      "//secret.js",
      "/./secret.js",
      "/assets//secret.js",
      `/${"../".repeat(50)}etc/passwd`,
      "/etc/passwd",
      "/file:///etc/passwd",
      "/api/v1/blobs/..%2f..%2f..%2fetc%2fpasswd",
      "/api/v1/blobs/%00",
      "/api/v1/blobs/../../../etc/passwd",
      "/api/v1/bundles/..%2fsecret.js",
      "/api/v1/../../secret.js",
    ]) {
      const { status, body } = await get(path);
      expect([path, status < 500]).toEqual([path, true]);
      expect([path, /a secret|root:x/.test(body)]).toEqual([path, false]);
    }
    for (const [target, expected] of [
      ["http://evil.example/api/v1/info", 403],
      ["http://evil.example/", 403],
      [`http://${host}/api/v1/info`, 200],
      [`http://${host}/none`, 404],
      ["api/v1/info", 400],
      ["\\api\\v1", 400],
      ["*", 403],
    ] as const)
      expect([target, (await get(target)).status]).toEqual([target, expected]);
    await expectWell();
  });

  test("long names and names with slashes are found, others are told", async () => {
    const name = `a/${"é".repeat(150)}`;
    await fixture.deploy([
      pipeline(name, [node("a")]),
      pipeline("p", [node("a")]),
      pipeline("asks", [node("a")]),
    ]);
    const { status, body } = await fixture.call("GET", `/pipelines/${encodeURIComponent(name)}`);
    expect([status, body.name]).toEqual([200, name]);
    for (const path of ["/api/v1/pipelines/%00", "/api/v1/pipelines/%ff", "/api/v1/runs/%ED%A0%80"])
      expect((await get(path)).status).toBe(400);
    expect((await get(`/api/v1/runs/${"r".repeat(3_000)}`)).status).toBe(404);
    await expectWell();
  });

  test("what is too long is refused before it is read", async () => {
    expect((await get(`/${"a".repeat(20_000)}`)).status).toBe(431);
    expect((await get("/api/v1/info", { "x-long": "a".repeat(20_000) })).status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`x-${at}`, "1"]));
    expect([431, 200]).toContain((await get("/api/v1/info", many)).status);
    const query = Array.from({ length: 3_000 }, (_, at) => `a${at}`).join("&");
    expect((await get(`/api/v1/runs?${query.slice(0, 15_000)}`)).status).toBe(400);
    const same = "limit=1&".repeat(1_500);
    expect((await get(`/api/v1/runs?${same}`)).status).toBe(400);
    await expectWell();
  });
});

describe("bodies", () => {
  const writes = (): Route[] => routes.filter(({ method }) => method === "POST" || method === "PUT");

  test("names that objects inherit are names like others, everywhere", async () => {
    const odd = `{"__proto__":{"polluted":1,"dryRun":true},"constructor":{"prototype":{"polluted":1}},"prototype":1,"toString":1}`;
    for (const { method, path, mediaTypes } of writes())
      for (const body of [
        odd,
        `{"params":${odd},"labels":${odd},"definition":${odd},"data":${odd},"output":${odd},"specversion":"1.0"}`,
        "[]",
        "null",
        "1",
        '"a"',
      ]) {
        const headers = { "content-type": mediaTypes[0] ?? "application/json" };
        const { status, body: answer } = await send(url, method, path, { headers, body });
        expect([path, body.slice(0, 40), status, status < 500 ? "" : answer]).toEqual([
          path,
          body.slice(0, 40),
          status,
          "",
        ]);
        expect(({} as { polluted?: number }).polluted).toBeUndefined();
      }
    await expectWell();
  });

  test("they can be parameters, labels, data and names of pipelines and nodes, and come back as they were", async () => {
    await fixture.worker({ answer: () => succeeded(1) });
    const odd = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":[3]}') as object;
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const deployed = await fixture.deploy(
      names.map((name) =>
        pipeline(
          name,
          names.map((id) => node(id)),
        ),
      ),
    );
    expect(deployed.status, JSON.stringify(deployed.body)).toBe(200);
    for (const name of names) {
      const labels = JSON.parse('{"__proto__":"l","constructor":"c"}') as object;
      const run = await fixture.start(name, { params: odd, labels });
      const detail = await fixture.ended(run.id);
      expect(JSON.stringify(detail.run.labels)).toBe('{"__proto__":"l","constructor":"c"}');
      expect(JSON.stringify(detail)).toContain('{"__proto__":{"a":1},"constructor":2,"toString":[3]}');
      const { body: grid } = await fixture.call("GET", `/pipelines/${name}/grid`);
      expect(grid.runs[0].states).toBe("1111");
      expect((await fixture.call("GET", `/runs?pipeline=${name}&label=__proto__:l`)).body.items).toHaveLength(
        1,
      );
    }
    const event = {
      specversion: "1.0",
      id: "__proto__",
      source: "__proto__",
      type: "constructor",
      data: odd,
    };
    const told = await fixture.call("POST", "/events", event, {
      "content-type": "application/cloudevents+json",
    });
    expect(told.status, JSON.stringify(told.body)).toBeLessThan(300);
    const { body } = await fixture.call("GET", "/events?type=constructor");
    expect(JSON.stringify(body.items[0].event.data)).toBe(
      '{"__proto__":{"a":1},"constructor":2,"toString":[3]}',
    );
    expect((await fixture.call("PUT", "/pools/__proto__", { slots: 3 })).status).toBe(200);
    expect(JSON.stringify((await fixture.call("GET", "/pools")).body)).toContain("__proto__");
    await expectWell();
  });

  test("depth, numbers, bytes and sizes beyond sense are refused", async () => {
    const nested = (depth: number): string =>
      `{"pipeline":"p","params":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    const cases: readonly [string, string, readonly number[]][] = [
      ["deep", nested(5_000), [400]],
      ["very deep", nested(400_000), [400]],
      ["a number too large", '{"pipeline":"p","params":{"n":1e999}}', [200, 400, 404]],
      ["many digits", `{"pipeline":"p","params":{"n":${"9".repeat(100_000)}}}`, [200, 400, 404]],
      ["half a pair", '{"pipeline":"\\ud800"}', [400, 404]],
      ["a null character", '{"pipeline":"a\\u0000b"}', [400, 404]],
      ["two values", "{}{}", [400]],
      ["a comment", "{/**/}", [400]],
    ];
    for (const [what, body, statuses] of cases) {
      const { status } = await send(url, "POST", "/api/v1/runs", { body });
      expect([what, statuses.includes(status) ? "as it should" : status]).toEqual([what, "as it should"]);
    }
    const bytes = Buffer.concat([
      Buffer.from('{"pipeline":"'),
      Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
      Buffer.from('"}'),
    ]);
    const head = `POST /api/v1/runs HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nconnection: close\r\n`;
    const invalid = await exchangeRaw(
      url,
      Buffer.concat([Buffer.from(`${head}content-length: ${bytes.length}\r\n\r\n`), bytes]),
    );
    expect([400, 404]).toContain(invalid.status);
    for (const { method, path, mediaTypes } of writes()) {
      const length = String(1024 ** 3);
      const headers = { "content-type": mediaTypes[0] ?? "application/json", "content-length": length };
      const { status } = await send(url, method, path, { headers });
      expect([path, status]).toEqual([path, 413]);
    }
    const packed = await send(url, "POST", "/api/v1/runs", {
      headers: { "content-encoding": "gzip" },
      body: "{}",
    });
    expect(packed.status).toBeLessThan(500);
    await expectWell();
  });

  test("one request can't hide in another", async () => {
    const inner = `GET /api/v1/info HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    const post = `POST /api/v1/runs HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`;
    for (const [what, text] of [
      [
        "both lengths",
        `${post}content-length: ${inner.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      ],
      ["two lengths", `${post}content-length: 2\r\ncontent-length: ${inner.length}\r\n\r\n{}${inner}`],
      ["a signed length", `${post}content-length: +2\r\n\r\n{}${inner}`],
      ["a spaced name", `${post}transfer-encoding : chunked\r\ncontent-length: 2\r\n\r\n{}${inner}`],
      ["an unknown coding", `${post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`],
      ["a bare line feed", `${post}x: a\ncontent-length: 2\r\n\r\n{}${inner}`],
      ["a folded line", `${post}x: a\r\n b: c\r\ncontent-length: 2\r\n\r\n{}${inner}`],
      ["a chunk that lies", `${post}transfer-encoding: chunked\r\n\r\n2x\r\n{}\r\n0\r\n\r\n${inner}`],
    ] as const) {
      const { status, answers, body } = await exchangeRaw(url, text);
      expect([what, status, answers]).toEqual([what, 400, 1]);
      expect(body).not.toContain("shards");
    }
    await expectWell();
  });
});
