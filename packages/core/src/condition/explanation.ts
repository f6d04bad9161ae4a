import type { ConditionKind } from "./condition.ts";
import type { Member } from "./match.ts";

/** The state of a condition as a tree: for each operand, what it has and what it waits for. */
export interface Explanation {
  readonly kind: ConditionKind | "keyed";
  /** The operand's name, where it has one. */
  readonly name?: string;
  /**
   * `waiting`: nothing of it is there. `gathering`: it has members and waits for more. `held`: it has matched and waits for
   * others. `blocked`: what comes does not count.
   */
  readonly state: "waiting" | "gathering" | "held" | "blocked";
  /** What it waits for, or why it is blocked, as a sentence. */
  readonly text: string;
  /** What it has gathered: the newest `explainedMembersMax`. */
  readonly members?: readonly Member[];
  readonly memberCount?: number;
  /** Log time since which it has been so, and when time alone changes it. */
  readonly since?: number;
  readonly due?: number;
  /** How many came too late for their windows; absent where none did. */
  readonly leftOut?: number;
  readonly of?: readonly Explanation[];
}
