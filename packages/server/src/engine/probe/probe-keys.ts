import { compileCondition, probeAtom, type ProbeRef } from "@millrace/core";
import { matchKeysOf, oldKeysOf } from "../wait/match-keys.ts";

/** Under which waits for a thing are found, also those from before keys were in ranges. */
export function probeWaitKeys({ name, args }: ProbeRef): readonly string[] {
  const program = compileCondition(probeAtom({ name, args }));
  return [...matchKeysOf(program).keys, ...oldKeysOf(program)];
}
