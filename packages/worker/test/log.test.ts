import { expect, test } from "vitest";
import { LogBuffer } from "../src/attempt/log-buffer.ts";
import { limits } from "../src/limits.ts";
import { bundleCode, dispatchOf } from "./protocol-server.ts";
import { startFixture } from "./worker-fixture.ts";

test("stdout, stderr and ctx.log keep their order, and all of it is there before the result", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ talk: (_, ctx) => {
      for (let round = 0; round < 100; round += 1) {
        console.log("out " + round);
        ctx.log.warn("log " + round, { round });
        console.error("err " + round);
      }
      process.stdout.write("no line end");
    } }`),
  );
  const dispatch = dispatchOf(bundle, "talk");
  await fixture.run(dispatch);
  const lines = fixture.server.log(dispatch.token);
  expect(lines.map((line) => line.text)).toEqual([
    ...Array.from({ length: 100 }, (_, round) => [`out ${round}`, `log ${round}`, `err ${round}`]).flat(),
    "no line end",
  ]);
  expect(lines[1]).toMatchObject({ stream: "log", level: "warn", fields: { round: 0 } });
  expect(lines[2]).toMatchObject({ stream: "stderr", level: "error" });
});

test("what further processes and direct writes print belongs to the attempt, too", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ run: () => { execFileSync("/bin/sh", ["-c", "echo from the shell; echo wrong >&2"], { stdio: "inherit" }); writeSync(1, "dïrect\\n"); } }`,
      `import { execFileSync } from "node:child_process"; import { writeSync } from "node:fs";`,
    ),
  );
  const dispatch = dispatchOf(bundle, "run");
  await fixture.run(dispatch);
  const texts = fixture.server.log(dispatch.token).map((line) => `${line.stream} ${line.text}`);
  expect(texts.sort()).toEqual(["stderr wrong", "stdout dïrect", "stdout from the shell"]);
});

test("lines arrive while the attempt runs", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ talk: (_, ctx) => { console.log("early"); return new Promise(() => {}); } }`),
  );
  const dispatch = dispatchOf(bundle, "talk");
  fixture.server.send({ kind: "dispatches", dispatches: [dispatch] });
  const frame = await fixture.server.until("logs");
  expect(frame).toMatchObject({ attempt: 1, from: 0, lines: [{ text: "early" }] });
});

const floods: readonly (readonly [string, string])[] = [
  ["console.log", `for (let n = 0; n < 100; n += 1) console.log("x".repeat(1024 * 1024 - 1));`],
  [
    "a further process",
    `execFileSync("/bin/sh", ["-c", "yes 0123456789 | head -c 104857600"], { stdio: "inherit" });`,
  ],
];

test.for(floods)(
  "100 MB from %s are cut with a visible mark, and the worker lives on",
  { timeout: 60_000 },
  async ([, code]) => {
    await using fixture = await startFixture();
    const bundle = fixture.server.addBundle(
      bundleCode(
        `{ flood: () => { ${code} return "done"; }, ok: () => 1 }`,
        `import { execFileSync } from "node:child_process";`,
      ),
    );
    const dispatch = dispatchOf(bundle, "flood");
    expect(await fixture.run(dispatch)).toMatchObject({ output: { value: "done" } });
    const lines = fixture.server.log(dispatch.token);
    const kept = lines
      .filter((line) => line.stream === "stdout")
      .reduce((sum, line) => sum + line.text.length + 1, 0);
    expect(kept).toBeGreaterThan(1024 * 1024);
    expect(kept).toBeLessThan(limits.logBytesMax * 1.1);
    expect(lines.length).toBeLessThanOrEqual(limits.logLinesMax + 2);
    const dropped = Number(/^… (\d+) bytes dropped$/.exec(lines.at(-1)?.text ?? "")?.[1]);
    expect(kept + dropped).toBeGreaterThan(0.99 * 100 * 1024 * 1024);
    expect(kept + dropped).toBeLessThan(1.01 * 100 * 1024 * 1024);
    expect(await fixture.run(dispatchOf(bundle, "ok"))).toMatchObject({ kind: "succeeded" });
  },
);

test("output between attempts belongs to nobody", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ left: () => { setTimeout(() => console.log("late"), 30); }, next: () => { console.log("mine"); } }`,
    ),
  );
  const first = dispatchOf(bundle, "left");
  const second = dispatchOf(bundle, "next");
  await fixture.run(first);
  await fixture.run(second);
  expect(fixture.server.log(first.token)).toEqual([]);
  expect(fixture.server.log(second.token).map((line) => line.text)).toEqual(["mine"]);
});

test("positions count on over frames, and a long line is cut into several", () => {
  const log = new LogBuffer();
  log.addText("stdout", "a\nb", 1);
  expect(log.take()).toEqual([{ from: 0, lines: [{ at: 1, stream: "stdout", level: "info", text: "a" }] }]);
  log.addText("stdout", `${"c".repeat(limits.logLineBytesMax)}\n`, 2);
  log.finish(3);
  const frames = log.take();
  expect(frames[0]?.from).toBe(1);
  expect(frames.flatMap((frame) => frame.lines).map((line) => line.text.length)).toEqual([
    limits.logLineBytesMax,
    1,
  ]);
});

test("characters that are split between chunks are read whole", () => {
  const log = new LogBuffer();
  const bytes = Buffer.from("grün\n");
  log.addRaw("stderr", bytes.subarray(0, 3), 1);
  log.addRaw("stderr", bytes.subarray(3), 2);
  expect(log.take()[0]?.lines.map((line) => line.text)).toEqual(["grün"]);
});
