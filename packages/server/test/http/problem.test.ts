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

it("says that the database's disk is full, in whatever words a session ends by it", () => {
  for (const full of [
    { code: "XX000", message: "could not write init file: No space left on device" },
    { code: "53100", message: 'could not extend file "base/5/16384": No space left on device' },
  ])
    expect(problemOf(Object.assign(new Error(full.message), { code: full.code }))).toMatchObject({
      code: "MILLRACE_DATABASE_UNREACHABLE",
      status: 503,
      detail: `The database's disk is full: ${full.message}.`,
      advice: expect.stringContaining("Free space"),
    });
});
