/** A wait of a run, with its row. J2, J3: `ConditionWait` of the core. */
import { ConditionWait, type Json } from "@millrace/core";
import type { WaitChange, WaitEnd, WaitMemberRow, WaitRow } from "@millrace/store";

export class ToldWait extends ConditionWait {
  readonly row: WaitRow;

  /** Throws MILLRACE_CONDITION_INVALID. */
  constructor(row: WaitRow) {
    const { condition, state, beganAt, timeoutAt, toldTo, runId, node, item } = row;
    super({
      condition: condition === undefined ? undefined : (JSON.parse(condition) as Json),
      state: state === undefined ? undefined : (JSON.parse(state) as object),
      beganAt,
      timeoutAt,
      toldTo,
      identity: `${runId}/${node}/${item}`,
    });
    this.row = row;
  }

  /** Whether its row says less than is known here. */
  get isChanged(): boolean {
    return this.isTouched || this.ended !== undefined;
  }

  /** Its row as of now; `toldTo` is written where something changed only (J3). */
  asRow(): WaitRow {
    return { ...this.row, state: this.#stateText(), toldTo: this.toldTo, dueAt: this.dueAt };
  }

  asChange(end: WaitEnd | undefined): WaitChange {
    return {
      id: this.row.id,
      state: this.#stateText(),
      toldTo: this.toldTo,
      dueAt: this.dueAt,
      end,
      endedKeys: end ? this.row.matchKeys : [],
    };
  }

  /** The entries that ended it, each once. */
  endedBy(endedAt: number): WaitMemberRow[] {
    const { workspace, runId, node, item, generation, name, occurrence } = this.row;
    const positions = new Set(
      (this.firing()?.members ?? []).flatMap((member) => (member.kind === "event" ? member.position : [])),
    );
    return Array.from(positions, (position) => ({
      workspace,
      position,
      runId,
      node,
      item,
      generation,
      name,
      occurrence,
      endedAt,
    }));
  }

  #stateText(): string | undefined {
    if (this.ended || !this.state) return undefined;
    return this.isTouched || this.row.state !== undefined ? JSON.stringify(this.state) : undefined;
  }
}
