/** How far a wait has heard the log when it ends: what follows is left to the next wait of its name. */
import { expect, test } from "vitest";
import type { Json } from "../src/json.ts";
import { ConditionWait } from "../src/wait/condition-wait.ts";
import { eventsOf } from "./condition/feed.ts";

const paid: Json = { kind: "event", type: "paid" };
const entries = eventsOf([
  [1_000, "paid"],
  [2_000, "paid"],
  [3_000, "paid"],
]);

function waitFor(condition: Json, timeoutAt: number | undefined): ConditionWait {
  return new ConditionWait({ condition, beganAt: 500, timeoutAt, identity: "w", toldTo: 0 });
}

test.each([true, false])("an entry that ends a wait is the last that it hears (earlier: %s)", (isEarlier) => {
  const wait = waitFor(paid, undefined);
  for (const entry of entries) wait.tell(entry, isEarlier);
  wait.noteTold(3);
  expect(wait).toMatchObject({ toldTo: 1, overAt: undefined, ended: { kind: "fired" } });
});

test("a wait that time ends says when, and has heard what came before", () => {
  const wait = waitFor({ kind: "count", of: paid, n: 3 }, 2_000);
  for (const entry of entries) wait.tell(entry);
  wait.noteTold(3);
  expect(wait).toMatchObject({ toldTo: 2, overAt: 2_000, ended: { kind: "timeout" } });
  const silence = waitFor({ kind: "absent", of: paid, withinMs: 250 }, undefined);
  silence.noteTold(9);
  silence.tellTime(800);
  silence.noteTold(12);
  expect(silence).toMatchObject({ toldTo: 9, overAt: 750, ended: { kind: "fired" } });
});
