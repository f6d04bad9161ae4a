/** Reading what changed only, and changing only what was read. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

let fixture: ServerFixture;

beforeAll(async () => {
  fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])], { pools: { db: 4 } });
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function tagAt(path: string): Promise<string> {
  return (await fixture.call("GET", path)).headers.get("etag") ?? "none";
}

it("does not send again what the reader has", async () => {
  const tag = await tagAt("/pipelines");
  const same = await fixture.call("GET", "/pipelines", undefined, { "if-none-match": tag });
  expect([same.status, same.body, same.headers.get("etag")]).toEqual([304, "", tag]);
  expect((await fixture.call("GET", "/pipelines", undefined, { "if-none-match": '"other"' })).status).toBe(
    200,
  );
  await fixture.deploy([pipeline("p", [node("a")]), pipeline("q", [node("a")])], { pools: { db: 4 } });
  expect((await fixture.call("GET", "/pipelines", undefined, { "if-none-match": tag })).status).toBe(200);
});

it("E1: changes a pool only as it was read", async () => {
  const read = await tagAt("/pools/db");
  const change = (slots: number, tag: string) =>
    fixture.call("PUT", "/pools/db", { slots }, { "if-match": tag });
  const first = await change(5, read);
  expect([first.status, first.body.slots]).toEqual([200, 5]);
  expect(await change(6, read)).toMatchObject({
    status: 412,
    body: { code: "MILLRACE_PRECONDITION_FAILED", fields: { etag: expect.stringMatching(/^"/) } },
  });
  expect((await fixture.call("GET", "/pools/db")).body.slots).toBe(5);
  expect((await change(7, first.headers.get("etag")!)).status).toBe(200);
  expect((await change(8, "*")).status).toBe(200);
  expect(await fixture.call("GET", "/pools/bd")).toMatchObject({
    status: 404,
    body: { detail: /mean "db"/ },
  });
});

it("E1: of many who read the same, on two servers, one changes it", async () => {
  await using other = await fixture.anotherServer();
  const read = await tagAt("/pipelines/p");
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      (at % 2 === 0 ? fixture : other).call("POST", "/pipelines/p/pause", {}, { "if-match": read }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array(7).fill(412)]);
  await fixture.call("POST", "/pipelines/p/resume");
});

it("commands a run only in the state in which it was read, whatever its nodes did", async () => {
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  const dispatch = await worker.dispatch("a");
  const running = await tagAt(`/runs/${run.id}`);
  worker.finish(dispatch, succeeded(1));
  await fixture.ended(run.id);
  const late = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" }, { "if-match": running });
  expect(late).toMatchObject({ status: 412 });
  const ended = await tagAt(`/runs/${run.id}`);
  const rerun = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" }, { "if-match": ended });
  expect([rerun.status, rerun.body.run.generation]).toEqual([200, 2]);
});
