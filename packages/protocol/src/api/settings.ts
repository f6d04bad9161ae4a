/** Settings in the API. */
import { about, named, object, oneOf, text, yes, type TypeOf } from "../shape.ts";
import { operation } from "./operation.ts";
import { page } from "./parts.ts";

export const settingView = about(
  "A setting as it is in effect.",
  named(
    "SettingView",
    object(
      { name: text, summary: text, source: oneOf("default", "flag", "variable", "file", "operator") },
      {
        value: about("Absent: it has none, or it is not shown.", text),
        isSecret: about("It has a value, or a part of one, that is not shown.", yes),
        from: about("The flag, the variable or the file.", text),
        note: about("What is not said by its value.", text),
      },
    ),
  ),
);
export type SettingView = TypeOf<typeof settingView>;

export const settingOperations = {
  listSettings: operation({
    method: "GET",
    path: "/settings",
    summary: "Settings of the server that answers, as they are in effect, with where each comes from",
    answer: page(settingView),
  }),
} as const;
