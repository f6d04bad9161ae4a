import { expect, test } from "vitest";
import { bundleCode, dispatchOf } from "./protocol-server.ts";
import { startFixture } from "./worker-fixture.ts";

test("a dispatch runs in a child and its output comes back", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ double: (input) => ({ twice: input.n * 2 }) }`));
  const outcome = await fixture.run(dispatchOf(bundle, "double", { input: { value: { n: 21 } } }));
  expect(outcome).toEqual({ kind: "succeeded", output: { value: { twice: 42 } } });
});
