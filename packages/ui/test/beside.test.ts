/** Simulated and real firings stand beside each other. */
import type { FiringView, SimulatedFiring } from "@millrace/protocol";
import { expect, test } from "vitest";
import { besideEachOther } from "../src/pages/trigger/beside.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 27, 12, minute)).toISOString();
const simulated = (minute: number, key?: string): SimulatedFiring => ({
  at: at(minute),
  ...(key === undefined ? {} : { key }),
  occurrence: 1,
  revision: 1,
  memberCount: 0,
  members: [],
});
const real = (minute: number, key?: string): FiringView => ({
  ...simulated(minute, key),
  id: `1.${minute}`,
  pipeline: "p",
  version: 1,
  position: 1,
  state: "started",
});

test("what was decided at one time for one key is one firing, as often as it came on both sides", () => {
  const rows = besideEachOther(
    [simulated(1, "a"), simulated(2, "a"), simulated(2, "b"), simulated(3)],
    [real(0, "a"), real(2, "a"), real(2, "a"), real(3)],
    Date.parse(at(1)),
  );
  const told = rows.map((row) => [row.at, row.key, row.simulated !== undefined, row.real !== undefined]);
  expect(told).toEqual([
    [at(3), undefined, true, true],
    [at(2), "a", true, true],
    [at(2), "b", true, false],
    [at(2), "a", false, true],
    [at(1), "a", true, false],
  ]);
});
