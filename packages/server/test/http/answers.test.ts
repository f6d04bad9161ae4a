/** What every answer of the API has. */
import { gunzipSync } from "node:zlib";
import { request } from "node:http";
import { expect, it } from "vitest";
import { node, pipeline, startFixture } from "./server-fixture.ts";

it("names each request, as its sender does or by itself, also where it is refused", async () => {
  await using fixture = await startFixture({ token: "t" });
  const own = { "x-request-id": "mine-1" };
  const bearer = { authorization: "Bearer t" };
  expect(
    (await fixture.call("GET", "/info", undefined, { ...own, ...bearer })).headers.get("x-request-id"),
  ).toBe("mine-1");
  const refused = await fixture.call("GET", "/info", undefined, own);
  expect([refused.status, refused.headers.get("x-request-id")]).toEqual([401, "mine-1"]);
  const ids = new Set<string | null>();
  for (const given of ["<script>", "a b", "x".repeat(101)]) {
    const { headers } = await fixture.call("GET", "/info", undefined, { ...bearer, "x-request-id": given });
    expect(headers.get("x-request-id")).not.toBe(given);
    ids.add(headers.get("x-request-id"));
  }
  expect(ids.size).toBe(3);
});

it("lets no browser keep it, guess at it, or run it", async () => {
  await using fixture = await startFixture();
  for (const path of ["/info", "/runs/none", "/openapi.json"]) {
    const { headers } = await fixture.call("GET", path);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  }
});

it("packs what is large, for readers that take it packed", async () => {
  await using fixture = await startFixture();
  await fixture.deploy(Array.from({ length: 200 }, (_, at) => pipeline(`a-pipeline-${at}`, [node("a")])));
  const read = (accepted: string): Promise<{ encoding: string | undefined; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const asked = request(
        `${fixture.server.url}/api/v1/pipelines`,
        { headers: { "accept-encoding": accepted } },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", () =>
            resolve({ encoding: answer.headers["content-encoding"], body: Buffer.concat(parts) }),
          );
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  const plain = await read("identity");
  expect(plain.encoding).toBeUndefined();
  const packed = await read("br, gzip;q=0.8");
  expect(packed.encoding).toBe("gzip");
  expect(packed.body.length).toBeLessThan(plain.body.length / 4);
  expect(gunzipSync(packed.body)).toEqual(plain.body);
});

it("takes the key of a repeated start as a header, too", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])]);
  const start = (key: string, body: object = {}) =>
    fixture.call("POST", "/runs", { pipeline: "p", ...body }, { "idempotency-key": key });
  const first = (await start("k1")).body;
  expect(first.created).toBe(true);
  for (const again of [await start("k1"), await start('"k1"'), await start("k1", { idempotencyKey: "k1" })])
    expect(again.body).toMatchObject({ created: false, run: { id: first.run.id } });
  expect((await start("k2", { idempotencyKey: "k3" })).body.code).toBe("MILLRACE_REQUEST_INVALID");
});
