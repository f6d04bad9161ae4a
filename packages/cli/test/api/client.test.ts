import { expect, test } from "vitest";
import { ApiClient } from "../../src/api/client.ts";
import { problem, startApiServer } from "./api-server.ts";

test("A2: a write that the server did nothing of is repeated", async () => {
  let refusals = 1;
  await using server = await startApiServer(() =>
    refusals-- > 0 ? problem("MILLRACE_OVERLOADED") : { status: 200, body: { made: true } },
  );
  const client = new ApiClient({ url: server.url, token: undefined });
  expect(await client.post("/runs", { pipeline: "p" })).toEqual({ made: true });
  expect(server.requests).toEqual(["POST /runs", "POST /runs"]);
});

test.each(["MILLRACE_DATABASE_UNREACHABLE", "MILLRACE_LEASE_LOST", "MILLRACE_INTERNAL"])(
  "A2: a write that was answered with %s may have been done, and is said once",
  async (code) => {
    await using server = await startApiServer(() => problem(code));
    const client = new ApiClient({ url: server.url, token: undefined });
    await expect(client.post("/runs", { pipeline: "p" })).rejects.toMatchObject({ code });
    expect(server.requests).toEqual(["POST /runs"]);
  },
);
