import { expect, it } from "vitest";
import { problemOf } from "../../src/http/problem.ts";

it("never says of a statement that was ended by the database that nothing was done", () => {
  const ended = Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" });
  expect(problemOf(ended)).toMatchObject({
    code: "MILLRACE_DATABASE_UNREACHABLE",
    status: 503,
    detail: expect.stringContaining("may or may not have been recorded"),
  });
});
