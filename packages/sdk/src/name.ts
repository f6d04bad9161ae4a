import { describe, optionError, type OptionOwner } from "./options.ts";

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** Names stand in addresses, file names and commands: letters, digits, `_`, `.` and `-`. */
export function checkName(name: unknown, owner: OptionOwner): asserts name is string {
  if (typeof name === "string" && namePattern.test(name)) return;
  throw optionError(
    owner,
    `a name has 1 to 100 letters, digits, "_", "." or "-", and starts with a letter, a digit or "_"; found ${describe(name)}`,
  );
}
