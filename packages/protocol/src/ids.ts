/** The fencing token of a dispatch: a message that carries an old one changes nothing. */
export interface DispatchToken {
  readonly runId: string;
  readonly node: string;
  /** Item path as text: `""` outside regions, `"3"`, nested `"3.0"`. */
  readonly item: string;
  readonly generation: number;
  /** Counts hand-overs of the task run within its generation, from 1. */
  readonly dispatch: number;
}

export function tokenKey(token: DispatchToken): string {
  return `${token.runId}/${token.node}/${token.item}/${token.generation}/${token.dispatch}`;
}
