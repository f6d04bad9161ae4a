import { MillraceError } from "@millrace/core";
import { afterEach, expect, test, vi } from "vitest";
import { reconnecting } from "../src/api/reconnect.ts";

const unreachable = new MillraceError("MILLRACE_SERVER_UNREACHABLE", { message: "It does not answer." });
const { signal } = new AbortController();

afterEach(() => vi.restoreAllMocks());

/** Each connection as told: whether the server answered, what it said, and how much later it was lost. */
function streams(...connections: { answers: boolean; says?: string[]; afterMs?: number }[]) {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const left = [...connections];
  return async function* open(onOpen: () => void): AsyncGenerator<string> {
    const next = left.shift()!;
    if (next.answers) onOpen();
    yield* next.says ?? [];
    now += next.afterMs ?? 0;
    throw unreachable;
  };
}

test("a server that is away again, long after it was back, has its minute again, though it told nothing in between", async () => {
  const open = streams(
    { answers: true },
    { answers: true, afterMs: 3_600_000 },
    { answers: true, says: ["last"] },
  );
  const onAway = vi.fn();
  const seen: string[] = [];
  for await (const event of reconnecting({ open, signal, onAway, isLast: (one) => one === "last" }))
    seen.push(event);
  expect(seen).toEqual(["last"]);
  expect(onAway).toHaveBeenCalledTimes(2);
});

test("a server that stays away is given up after a minute", async () => {
  const open = streams(
    { answers: true },
    { answers: false, afterMs: 59_000 },
    { answers: false, afterMs: 2_000 },
  );
  await expect(reconnecting({ open, signal }).next()).rejects.toBe(unreachable);
});
