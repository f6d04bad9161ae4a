/** Rules of `EngineStore` about runs that go on with another bundle. */
import { strict as assert } from "node:assert";
import { flusher, key, liveRun } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

export const engineStoreMoveRules: { readonly [name: string]: EngineStoreRule } = {
  "a run that is moved has its other bundle, in the generation that was meant": async ({ store, other }) => {
    const { flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1"), liveRun("r2"), liveRun("r3")] });
    await flush({
      runsMoved: [
        { ...key("r1"), generation: 1, bundle: "other" },
        { ...key("r2"), generation: 2, bundle: "other" },
        { ...key("r9"), generation: 1, bundle: "other" },
      ],
    });
    assert.deepEqual((await other.loadRun(key("r1")))?.run, liveRun("r1", { bundle: "other" }));
    for (const id of ["r2", "r3"]) assert.deepEqual((await other.loadRun(key(id)))?.run, liveRun(id));
  },
};
