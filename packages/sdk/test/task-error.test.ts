import { expect, test } from "vitest";
import { Fatal, RetryAfter, Skip } from "../src/index.ts";
import { nextRequestOf } from "../src/internal.ts";

test("an error of a task says what happens next", () => {
  expect(nextRequestOf(new Fatal("closed", { cause: 5 }))).toEqual({ kind: "fatal" });
  expect(nextRequestOf(new RetryAfter("2m"))).toEqual({ kind: "retry_after", delayMs: 120_000 });
  expect(nextRequestOf(new Skip("nothing new"))).toEqual({ kind: "skip", reason: "nothing new" });
});

test("other errors and values ask for nothing", () => {
  for (const thrown of [new Error("x"), null, undefined, "fatal", { kind: "fatal" }]) {
    expect(nextRequestOf(thrown)).toBeUndefined();
  }
});

test("an error made by another copy of the module is recognised", () => {
  const copy = Object.assign(new Error("x"), { [Symbol.for("millrace.next")]: { kind: "fatal" } });
  expect(nextRequestOf(copy)).toEqual({ kind: "fatal" });
});

test("a subclass keeps what its class asks for", () => {
  class Closed extends Fatal {}
  const error = new Closed("the account is closed");
  expect(nextRequestOf(error)).toEqual({ kind: "fatal" });
  expect(error.message).toBe("the account is closed");
});

test("a wrong delay is refused", () => {
  expect(() => new RetryAfter("soon" as "1s")).toThrow(
    expect.objectContaining({ code: "MILLRACE_OPTION_INVALID" }),
  );
});
