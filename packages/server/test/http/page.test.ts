/** The page's files: who may read them, how they are kept, and that no path leads out of their folder. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFixture, type ServerFixture } from "./server-fixture.ts";

let folder: string;
let fixture: ServerFixture;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-page-"));
  const page = join(folder, "page");
  await mkdir(join(page, "assets"), { recursive: true });
  await writeFile(join(page, "index.html"), "<!doctype html><title>the page</title>");
  await writeFile(join(page, "assets", "index-abc.js"), "console.log(1);".repeat(100));
  await writeFile(join(page, "notes.txt"), "not of the page");
  await writeFile(join(folder, "secret.html"), "a secret");
  fixture = await startFixture({ pageFolder: page, token: "the-token" });
});

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Raw {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: Buffer;
}

/** As it stands: `fetch` would tidy the path. */
function get(path: string, headers: object = {}, method = "GET"): Promise<Raw> {
  const { port } = new URL(fixture.server.url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers: { ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

it("gives its document for every address of its own, to whoever has no token, too", async () => {
  for (const path of [
    "/",
    "/runs/r01",
    "/assets",
    "/index.html",
    "/?a=b",
    "/x/y?z=1",
    "/pipelines/orders.daily",
    "/triggers/a.js",
    "/assets/lake%2Forders.v2",
  ]) {
    const { status, headers, body } = await get(path);
    expect([path, status, headers["content-type"]]).toEqual([path, 200, "text/html; charset=utf-8"]);
    expect(body.toString()).toContain("the page");
    expect(headers["cache-control"]).toBe("no-cache");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  }
});

it("packs what is asked for packed, and says when nothing changed", async () => {
  const path = "/assets/index-abc.js";
  const plain = await get(path);
  expect(plain.headers["cache-control"]).toContain("immutable");
  const packed = await get(path, { "accept-encoding": "gzip" });
  expect(gunzipSync(packed.body)).toEqual(plain.body);
  const smaller = await get(path, { "accept-encoding": "gzip, br" });
  expect(brotliDecompressSync(smaller.body)).toEqual(plain.body);
  const again = await get(path, { "if-none-match": plain.headers["etag"] });
  expect([again.status, again.body.length]).toEqual([304, 0]);
  expect((await get(path, {}, "HEAD")).body.length).toBe(0);
});

it("gives nothing else", async () => {
  for (const path of [
    "/../secret.html",
    "/assets/../../secret.html",
    "/%2e%2e/secret.html",
    "/..%2fsecret.html",
    "/notes.txt",
    "/assets/none.js",
    "/__proto__.js",
  ]) {
    const { status, body } = await get(path);
    expect([path, status]).toEqual([path, 404]);
    expect(body.toString()).not.toContain("secret.html a secret");
    expect(body.toString()).toContain("MILLRACE_NOT_FOUND");
  }
  expect((await get("/runs", {}, "POST")).status).toBe(401);
});

it("asks for the token wherever there is more than the page", async () => {
  for (const path of ["/api/v1/runs", "/api/v1/none", "/%61pi/v1/runs", "/api%2fv1/runs", "/api"]) {
    const { status, body } = await get(path);
    expect([path, status === 401 || body.toString().includes("the page")]).toEqual([path, true]);
    expect(body.toString()).not.toContain("items");
  }
});

it("is not given to other sites' names", async () => {
  expect((await get("/", { host: "evil.example" })).status).toBe(403);
  expect((await get("/", { origin: "http://evil.example" })).status).toBe(403);
});
