import { errorCodeOf, type MillraceError } from "../../src/error/millrace-error.ts";
import type { Json } from "../../src/json.ts";
import type { Where, WhereEvent, WherePath } from "../../src/condition/where/where.ts";

export function eventOf(data: Json, more: Partial<WhereEvent> = {}): WhereEvent {
  return {
    source: "shop/eu",
    id: "e1",
    type: "order.paid",
    time: Date.parse("2026-05-01T06:00:00Z"),
    data,
    ...more,
  };
}

export function dataPath(...steps: readonly string[]): WherePath {
  return ["data", ...steps];
}

export function eq(step: string, value: string | number | boolean | null): Where {
  return { op: "eq", path: dataPath(step), value };
}

/** The catalogued error that `act` throws. */
export function errorOf(act: () => unknown): MillraceError {
  try {
    act();
  } catch (error) {
    if (errorCodeOf(error) !== undefined) return error as MillraceError;
    throw error;
  }
  throw new Error("nothing was thrown");
}
