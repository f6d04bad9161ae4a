import type { Counted } from "@millrace/protocol";
import { countedMax } from "@millrace/store";

/** What was counted up to one more than `max`. */
export function counted(count: number, max = countedMax): Counted {
  return count > max ? { count: max, isMore: true } : { count };
}
