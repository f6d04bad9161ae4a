import { expect, test } from "vitest";
import { z } from "zod";
import { approve, task } from "../src/index.ts";
import { describeBody, errorOf, nodeOf } from "./project.ts";

const count = task("count", () => ({ rows: 3 }));
const publish = task("publish", (input: { by: string | null; copies: number }) => input);

test("an approval is a node that waits, with what the person is asked and shown", () => {
  const definition = describeBody(() => {
    const totals = count();
    const asked = approve({
      title: "Publish?",
      details: { rows: totals.rows },
      by: "ann",
      form: z.object({ copies: z.int() }),
      timeout: "2d",
      onReject: "fail",
    });
    publish({ by: asked.by, copies: asked.form.copies });
  });
  expect(nodeOf(definition, "approve")).toMatchObject({
    kind: "wait",
    input: { kind: "object", entries: { rows: { kind: "output", node: "count", path: ["rows"] } } },
    wait: {
      timeoutMs: 172_800_000,
      onTimeout: "fail",
      approval: {
        title: "Publish?",
        by: ["ann"],
        onReject: "fail",
        form: { type: "object", required: ["copies"] },
      },
    },
  });
  expect(nodeOf(definition, "publish").input).toMatchObject({
    entries: { copies: { kind: "output", node: "approve", path: ["form", "copies"] } },
  });
});

test("without options anybody is asked, and a rejection skips", () => {
  const definition = describeBody(() => void approve());
  expect(nodeOf(definition, "approve")).toMatchObject({
    input: { kind: "value", value: null },
    wait: { onTimeout: "fail", approval: { onReject: "skip" } },
  });
});

test.each([
  ["nobody who could answer", { by: [] }, /names nobody/],
  ["a form that is no schema", { form: {} as never }, /"form" must be a schema/],
  [
    "a form that JSON Schema lacks",
    { form: z.object({ day: z.date() }) },
    /schema of its form can't be written/,
  ],
  ["an answer to a rejection that is none", { onReject: "stop" as never }, /"onReject" must be one of/],
  ["a timeout's consequence without a timeout", { onTimeout: "skip" as const }, /"timeout", which it lacks/],
  ["an option that is none", { titel: "Publish?" } as never, /Did you mean "title"/],
])("%s is refused", (_what, options, message) => {
  expect(errorOf(() => void approve(options)).message).toMatch(message);
});
