/** How a node that asks a person ends. */
import { describe, expect, test } from "vitest";
import type { ApprovalOptions, WaitOptions } from "../src/graph/definition.ts";
import type { Json } from "../src/json.ts";
import { Bench, node, pipeline, why } from "./build.ts";

type Asked = Partial<WaitOptions> & { readonly onReject?: ApprovalOptions["onReject"] };

/** A node that asks, and one after it. */
function asking({ onReject = "skip", onTimeout = "fail", ...rest }: Asked = {}): Bench {
  const wait: WaitOptions = { onTimeout, ...rest, approval: { onReject } };
  return new Bench(pipeline([node("ask", { kind: "wait", wait }), node("next", { after: ["ask"] })])).start();
}

const answered = (approved: boolean, note: string | null = null): Json => ({
  approved,
  by: "ann",
  at: "2026-01-01T00:00:00.000Z",
  note,
  form: { copies: 3 },
  timedOut: false,
});

function end(bench: Bench, outcome: { kind: "value"; value: { value: Json } } | { kind: "timeout" }): void {
  bench.send({
    kind: "wait_ended",
    node: "ask",
    item: "",
    generation: 1,
    name: "",
    occurrence: 1,
    outcome,
    position: 7,
  });
}

const say = (bench: Bench, approved: boolean, note?: string): void =>
  end(bench, { kind: "value", value: { value: answered(approved, note ?? null) } });

describe("an approval", () => {
  test("that is given succeeds, and what follows sees the answer", () => {
    const bench = asking();
    expect(bench.get("ask").state).toBe("waiting");
    say(bench, true);
    expect(bench.get("ask")).toMatchObject({ state: "succeeded", output: { value: answered(true) } });
    expect(bench.get("next").state).toBe("queued");
  });

  test("that is rejected is skipped with what follows, and says who and why", () => {
    const bench = asking();
    say(bench, false, "the totals are off");
    expect(bench.get("ask")).toMatchObject({
      state: "skipped",
      reason: {
        code: "MILLRACE_APPROVAL_REJECTED",
        message: '"ask" was rejected by ann: the totals are off',
        fields: { by: "ann", note: "the totals are off" },
      },
    });
    expect(bench.get("next").state).toBe("skipped");
    expect(bench.run.state).toBe("succeeded");
  });

  test("that is rejected fails where it says so, and is not tried again", () => {
    const bench = asking({ onReject: "fail" });
    say(bench, false);
    expect(bench.get("ask")).toMatchObject({
      state: "failed",
      attempt: 1,
      error: { code: "MILLRACE_APPROVAL_REJECTED", next: "fatal" },
    });
    expect(bench.run.state).toBe("failed");
  });

  test("that is rejected goes on where it says so", () => {
    const bench = asking({ onReject: "continue" });
    say(bench, false);
    expect(bench.get("ask")).toMatchObject({ state: "succeeded", output: { value: answered(false) } });
    expect(bench.get("next").state).toBe("queued");
  });

  test("that nobody answers goes on without a person's name where it says so", () => {
    const bench = asking({ onTimeout: "continue", timeoutMs: 1_000 });
    end(bench, { kind: "timeout" });
    expect(bench.get("ask").output).toEqual({
      value: { approved: false, by: null, at: null, note: null, form: null, timedOut: true },
    });
  });

  test("ends once: a timeout after the answer, and an answer after the timeout, change nothing", () => {
    const first = asking({ timeoutMs: 1_000 });
    say(first, true);
    end(first, { kind: "timeout" });
    expect(first.get("ask").state).toBe("succeeded");
    const late = asking({ timeoutMs: 1_000 });
    end(late, { kind: "timeout" });
    say(late, true);
    expect(late.get("ask").state).toBe("failed");
  });

  test("of a cancelled run is cancelled, and its answer comes too late", () => {
    const bench = asking();
    bench.send({ kind: "cancel", by: "user", reason: why });
    say(bench, true);
    expect(bench.get("ask").state).toBe("cancelled");
  });
});
