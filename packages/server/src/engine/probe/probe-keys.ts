import { compileCondition, probeAtom, type ProbeRef } from "@millrace/core";
import { matchKeysOf } from "../wait/match-keys.ts";

/** Under which waits for a thing are found. */
export function probeWaitKeys({ name, args }: ProbeRef): readonly string[] {
  return matchKeysOf(compileCondition(probeAtom({ name, args }))).keys;
}
