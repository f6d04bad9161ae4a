import { joinedAfter, probesWithin, type Condition, type LookBack } from "@millrace/core";
import type { WaitRow } from "@millrace/store";

/** What the owners of the things that a wait listens to ask of its row after a take-over. */
export function joinsOf(condition: Condition, lookBack: LookBack): Pick<WaitRow, "joinsAfter"> {
  const after = joinedAfter(lookBack);
  const isJoining = probesWithin(condition).some(({ token }) => token !== undefined);
  return isJoining && after !== undefined ? { joinsAfter: after } : {};
}
