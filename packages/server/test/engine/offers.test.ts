import { expect, test } from "vitest";
import { Offers } from "../../src/engine/offers.ts";

const token = { runId: "r1", node: "a", item: "", generation: 1, dispatch: 1 };

/** What an answer to a claim does on a node that knows these runs. */
function answered(runs: ReadonlyMap<string, unknown>): string[] {
  const done: string[] = [];
  const dispatcher = {
    workers: new Map([["w1", { draining: false }]]),
    free: () => done.push("freed"),
    occupy: () => {},
    resend: () => done.push("sent"),
  };
  const offers = new Offers({ runs, dispatcher } as never, {} as never);
  offers.receive({ kind: "given", workerId: "w1", message: { token } as never, shard: 3 });
  return done;
}

test("an answer that comes where its run has gone on without it begins nothing (O7)", () => {
  const goneOn = { run: { graph: { byId: new Map() } } };
  expect(answered(new Map([["r1", goneOn]]))).toEqual(["freed"]);
  expect(answered(new Map())).toEqual(["sent"]);
});
