import type { Condition } from "@millrace/core";
import type { SourceMark } from "../source.ts";
import type { EventTypeHandle } from "./event-type.ts";

/** A condition of a pipeline, for who holds it against the declarations of event types. */
export interface DescribedCondition {
  readonly condition: Condition;
  /** Those that its atoms were made of. */
  readonly eventTypes: readonly EventTypeHandle[];
  /** `Pipeline "x"`. */
  readonly what: string;
  readonly mark: SourceMark;
  /** Texts stand in it for references, of which nothing is known. */
  readonly hasHoles: boolean;
}
