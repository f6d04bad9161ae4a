/** What every request to the API may ask for, and what is refused whatever it asks. */
import { expect, it } from "vitest";
import { node, pipeline, startFixture } from "./server-fixture.ts";

it("gives only the members that are asked for", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])]);
  const list = await fixture.call("GET", "/pipelines?fields=name,paused");
  expect(list.body).toEqual({ items: [{ name: "p", paused: false }] });
  expect((await fixture.call("GET", "/pipelines/p?fields=nodes")).body).toEqual({ nodes: 1 });
  expect((await fixture.call("GET", "/pipelines?fields=")).body.items[0].tags).toEqual([]);
  expect(await fixture.call("GET", "/pipelines?fields=naem")).toMatchObject({
    status: 400,
    body: { code: "MILLRACE_REQUEST_INVALID", detail: /did you mean name\?/, fields: { query: "fields" } },
  });
});

it("says which methods an address takes", async () => {
  await using fixture = await startFixture();
  for (const [method, path, allowed] of [
    ["DELETE", "/runs", "GET, HEAD, POST"],
    ["OPTIONS", "/pools/db", "GET, HEAD, PUT"],
    ["GET", "/runs/x/cancel", "POST"],
  ] as const) {
    const answer = await fixture.call(method, path);
    expect([answer.status, answer.body.code]).toEqual([405, "MILLRACE_METHOD_NOT_ALLOWED"]);
    expect(answer.headers.get("allow")).toBe(allowed);
  }
  expect((await fixture.call("DELETE", "/nothing")).status).toBe(404);
});

it("answers HEAD as GET, without the content", async () => {
  await using fixture = await startFixture();
  const [got, asked] = [await fixture.call("GET", "/pipelines"), await fixture.call("HEAD", "/pipelines")];
  expect([asked.status, asked.body]).toEqual([200, ""]);
  for (const name of ["etag", "content-type", "content-length"])
    expect(asked.headers.get(name)).toBe(got.headers.get(name));
  expect((await fixture.call("HEAD", "/runs/none")).status).toBe(404);
  expect((await fixture.call("HEAD", "/live?topics=log")).status).toBe(405);
});

it("holds off who asks too often, and takes them again a second later", async () => {
  await using fixture = await startFixture({ requestsPerSecond: 20 });
  const answers = await Promise.all(Array.from({ length: 60 }, () => fixture.call("GET", "/info")));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(10);
  expect(refused[0]!.body.code).toBe("MILLRACE_TOO_MANY_REQUESTS");
  const seconds = Number(refused[0]!.headers.get("retry-after"));
  expect(seconds).toBe(1);
  await new Promise((resolve) => {
    setTimeout(resolve, seconds * 1_000);
  });
  expect((await fixture.call("GET", "/info")).status).toBe(200);
});

it("takes no body that is not an object", async () => {
  await using fixture = await startFixture();
  for (const body of ["null", "[]", "1", '"x"'])
    expect((await fixture.call("POST", "/runs/x/cancel", body)).body.code).toBe("MILLRACE_REQUEST_INVALID");
});
