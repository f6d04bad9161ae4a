import { expect, test } from "vitest";
import type { Json, JsonSchema } from "@millrace/core";
import { askForm, readForm } from "../../src/approval-view/form.ts";

const schema: JsonSchema = {
  type: "object",
  properties: {
    copies: { type: "integer", description: "how many" },
    colour: { type: "boolean", default: false },
    size: { enum: ["a4", "a3"] },
    remark: { type: "string" },
  },
  required: ["copies", "colour"],
};

/** Answers questions in turn; what was asked and told is handed back with what was entered. */
async function asked(
  given: Json | undefined,
  answers: readonly string[],
): Promise<{ readonly entered: Json | undefined; readonly questions: string[]; readonly told: string[] }> {
  const questions: string[] = [];
  const told: string[] = [];
  const left = [...answers];
  const entered = await askForm(schema, given, {
    ask: async (question) => {
      questions.push(question);
      return left.shift();
    },
    tell: (text) => void told.push(text),
  });
  return { entered, questions, told };
}

test("what the command did not give is asked for, and Enter leaves out what may be left out", async () => {
  const { entered, questions } = await asked({ remark: "hm" }, ["3", "", "a3"]);
  expect(entered).toEqual({ remark: "hm", copies: 3, size: "a3" });
  expect(questions).toEqual([
    "copies, how many (integer): ",
    "colour (boolean; Enter: false): ",
    "size (a4 | a3; may be empty): ",
  ]);
});

test("what can't be read, or must not be empty, is asked for again", async () => {
  const { entered, told } = await asked(undefined, ["", "many", "2", "", "", ""]);
  expect(entered).toEqual({ copies: 2 });
  expect(told).toEqual(['`copies` must be a whole number, found "many".']);
});

test("a person who leaves answers nothing", async () => {
  expect((await asked(undefined, ["2"])).entered).toBeUndefined();
});

test("options are read by the schema, in the form's words", () => {
  const read = (form: { readonly [name: string]: string }, formJson?: string): unknown =>
    readForm({ form, ...(formJson === undefined ? {} : { formJson }) }, schema, (path) => path);
  expect(read({ copies: "2" }, '{"colour": true}')).toEqual({ copies: 2, colour: true });
  expect(() => read({ copie: "2" })).toThrow(
    expect.objectContaining({
      code: "MILLRACE_FORM_INVALID",
      message: "The form has no field `copie`.",
      advice: expect.stringContaining("`copies`"),
    }),
  );
  expect(readForm({}, schema, (path) => path)).toBeUndefined();
});
