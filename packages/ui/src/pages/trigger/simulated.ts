/** A simulation with what really fired, and how far both can be compared. */
import type { Json } from "@millrace/core";
import type { FiringView, Page, SimulateResponse } from "@millrace/protocol";
import { besideEachOther, type Beside } from "./beside.ts";

/** As many as a page of the API has. */
export const firingsMax = 1_000;

export interface Simulated {
  readonly response: SimulateResponse;
  /** Absent where there is no trigger to compare it with. */
  readonly real: Page<FiringView> | undefined;
  readonly from: number;
  readonly to: number;
  /** What was simulated in place of what is deployed. */
  readonly changed: Json | undefined;
}

export interface Compared {
  /** Newest first, of the time for which both are known. */
  readonly rows: readonly Beside[];
  readonly from: number;
  readonly both: number;
  readonly onlySimulated: number;
  readonly onlyReal: number;
}

export function compared({ response, real, from }: Simulated): Compared {
  const simulated = response.firings;
  const made = (real?.items ?? []).filter(
    ({ at, position }) => Date.parse(at) >= from && position <= response.to,
  );
  // Of longer lists the newest are there: before these nothing is said.
  const oldest = (list: readonly { readonly at: string }[]): number => Date.parse(list.at(-1)?.at ?? "");
  const begin = Math.max(
    from,
    response.firingCount > simulated.length ? oldest(simulated) : from,
    real?.nextCursor === undefined ? from : oldest(real.items),
  );
  const since = ({ at }: { readonly at: string }): boolean => Date.parse(at) >= begin;
  const rows = besideEachOther(simulated.filter(since), made.filter(since), begin);
  const count = (holds: (row: Beside) => boolean): number => rows.filter(holds).length;
  return {
    rows,
    from: begin,
    both: count((row) => row.simulated !== undefined && row.real !== undefined),
    onlySimulated: count((row) => row.real === undefined),
    onlyReal: count((row) => row.simulated === undefined),
  };
}
