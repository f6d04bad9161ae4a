import { afterEach, expect, test, vi } from "vitest";
import { clockText, exactText } from "../src/parts/time-text.ts";
import { marksOf, markText } from "../src/parts/timeline/axis.ts";
import { chooseZone, isZone, wallClock, zoneShortName } from "../src/parts/zone.ts";

const kept = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => void kept.set(name, value),
});

afterEach(() => chooseZone("local"));

const noon = Date.parse("2026-07-01T12:00:00.250Z");

test.each([
  ["UTC", "12:00:00", "UTC"],
  ["Europe/Berlin", "14:00:00", "CEST"],
  ["America/New_York", "08:00:00", "GMT-4"],
  ["Asia/Kolkata", "17:30:00", "GMT+5:30"],
])("an instant as clocks of %s show it", (zone, clock, name) => {
  chooseZone(zone);
  expect(clockText(noon, noon)).toBe(clock);
  expect(exactText(noon)).toBe(`2026-07-01 ${clock}.250 ${zone}\n2026-07-01T12:00:00.250Z`);
  expect([name, "EDT", "IST"]).toContain(zoneShortName(noon));
});

test("over a change of its clocks", () => {
  chooseZone("Europe/Berlin");
  const hours = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map((at) =>
    wallClock(Date.parse(at)).toISOString().slice(11, 16),
  );
  expect(hours).toEqual(["02:30", "02:30"]);
});

test("another day is told as the chosen zone has days", () => {
  chooseZone("Asia/Tokyo");
  expect(clockText(Date.parse("2026-07-01T14:59:59Z"), noon)).toBe("23:59:59");
  expect(clockText(Date.parse("2026-07-01T15:00:00Z"), noon)).toBe("2026-07-02 00:00:00");
});

test("marks of an axis are round in the chosen zone", () => {
  chooseZone("Asia/Kolkata");
  const from = Date.parse("2026-07-01T12:10:00Z");
  const marks = marksOf({ from, until: from + 3 * 3_600_000, width: 300 }).map(markText);
  expect(marks).toEqual(["18:00", "19:00", "20:00"]);
});

test("what is no zone is not taken", () => {
  expect(["Europe/Berlin", "local", "Nowhere/City", ""].map(isZone)).toEqual([true, true, false, false]);
  chooseZone("Nowhere/City");
  expect(kept.get("millrace.zone")).toBe("local");
});
