import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { HandWorker, startFixture } from "./server-fixture.ts";

/** `fetch` sets Host itself, so this goes below it. */
function status(url: string, headers: { [name: string]: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/api/v1/info`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("access", () => {
  it("takes loopback's names alone as Host and Origin", async () => {
    await using fixture = await startFixture();
    const { url } = fixture.server;
    expect(await status(url, {})).toBe(200);
    expect(await status(url, { host: "localhost:1" })).toBe(200);
    expect(await status(url, { host: "[::1]:80" })).toBe(200);
    expect(await status(url, { host: "evil.example" })).toBe(403);
    expect(await status(url, { host: "127.0.0.1.evil.example" })).toBe(403);
    expect(await status(url, { origin: "http://evil.example" })).toBe(403);
    expect(await status(url, { origin: "null" })).toBe(403);
    expect(await status(url, { origin: "http://127.0.0.1:3000" })).toBe(200);
  });

  it("asks for the token everywhere once there is one", async () => {
    await using fixture = await startFixture({ token: "secret" });
    expect(await fixture.call("GET", "/info")).toMatchObject({
      status: 401,
      body: { code: "MILLRACE_UNAUTHORIZED" },
    });
    expect((await fixture.call("GET", "/nothing")).status).toBe(401);
    expect((await fixture.call("GET", "/info", undefined, { authorization: "Bearer secre" })).status).toBe(
      401,
    );
    expect((await fixture.call("GET", "/info", undefined, { authorization: "Bearer secret" })).status).toBe(
      200,
    );
    await expect(HandWorker.connect(fixture.server.url, {})).rejects.toThrow("401");
    const worker = await fixture.worker({ token: "secret" });
    expect(worker.received[0]?.kind).toBe("welcome");
  });

  it("needs a token and a public address beyond loopback", async () => {
    await expect(startFixture({ host: "0.0.0.0" })).rejects.toMatchObject({
      code: "MILLRACE_CONFIG_INVALID",
    });
    await expect(startFixture({ host: "0.0.0.0", token: "t" })).rejects.toThrow("--public-url");
    await using fixture = await startFixture({ token: "t", publicUrl: "https://m.example.com" });
    const { url } = fixture.server;
    const authorization = "Bearer t";
    const host = "m.example.com";
    expect(await status(url, { host, origin: "https://m.example.com", authorization })).toBe(200);
    expect(await status(url, { host: "other.example.com", authorization })).toBe(403);
    expect(await status(url, { host })).toBe(401);
  });
});
