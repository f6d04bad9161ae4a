/** Looks of probes: attempts like those of tasks. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { lookRunId, probePipeline } from "@millrace/core";
import type { Dispatch } from "@millrace/protocol";
import { expect, test } from "vitest";
import { dispatchOf } from "./protocol-server.ts";
import { startFixture, type Fixture } from "./worker-fixture.ts";

function lookOf(fixture: Fixture, probe: string, more: Partial<Dispatch> = {}): Dispatch {
  const sdk = (file: string): string => pathToFileURL(join(import.meta.dirname, "../../sdk/src", file)).href;
  const bundle = fixture.server.addBundle(`
    import { probe } from ${JSON.stringify(sdk("index.ts"))};
    export { loadProject } from ${JSON.stringify(sdk("internal.ts"))};
    const there = probe("there", { every: "1s", env: ["WHERE"] }, ({ day }, ctx) => {
      console.log("printed " + day);
      ctx.log.warn("logged", { where: process.env.WHERE });
      return { day };
    });
    const odd = probe("odd", { every: "1s" }, () => NaN);
    const hangs = probe("hangs", { every: "1s" }, () => { console.log("begun"); return new Promise(() => {}); });
    export const modules = async () => ({ "probes.ts": { there, hangs, odd } });
    export const settings = { project: "test", pools: {}, queues: [] };
  `);
  const { token, ...rest } = dispatchOf(bundle, probe, { pipeline: probePipeline, ...more });
  return { ...rest, token: { ...token, runId: lookRunId(`${probe}/1`), item: "1.1" } };
}

test("a look gives what its function returned, sees the variables that it names, and keeps what it logs", async () => {
  await using fixture = await startFixture({ environment: { ...process.env, WHERE: "here" } });
  const look = lookOf(fixture, "there", { input: { value: { day: "mon" } }, env: ["WHERE"] });
  expect(await fixture.run(look)).toEqual({
    kind: "succeeded",
    output: { value: { value: { day: "mon" } } },
  });
  expect(fixture.server.log(look.token).map(({ text }) => text)).toEqual(["printed mon", "logged"]);
  expect(fixture.server.log(look.token)[1]).toMatchObject({ level: "warn", fields: { where: "here" } });
});

test("a look that hangs ends with its timeout, and what it said until then is kept", async () => {
  await using fixture = await startFixture({ killGraceMs: 50 });
  const look = lookOf(fixture, "hangs", { timeoutMs: 100 });
  expect(await fixture.run(look)).toMatchObject({
    kind: "failed",
    error: { code: "MILLRACE_ATTEMPT_TIMEOUT" },
  });
  expect(fixture.server.log(look.token).map(({ text }) => text)).toEqual(["begun"]);
});

test("what a probe finds and JSON can't carry is told as the probe's", async () => {
  await using fixture = await startFixture();
  expect(await fixture.run(lookOf(fixture, "odd"))).toMatchObject({
    kind: "failed",
    error: {
      code: "MILLRACE_VALUE_NOT_JSON",
      message: "what the probe found can't be carried by JSON: $.value is NaN",
    },
  });
});
