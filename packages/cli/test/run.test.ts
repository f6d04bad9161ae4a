import { closeSync, existsSync, openSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { open } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { examine } from "../src/doctor/examine.ts";
import { readEnvironment } from "../src/environment.ts";
import { openTerminal } from "../src/terminal/terminal.ts";
import { emptyProject, endOf, millrace, projectWith, spawnMillrace } from "./command-process.ts";
import { startApiServer } from "./api/api-server.ts";
import { Debugger } from "./debugger.ts";

const timeoutMs = 120_000;

const flows = `import { Fatal, pipeline, task } from "millrace";
const double = task("double", async (input: { n: number }) => input.n * 2);
const fail = task("fail", async () => {
  console.log("on the edge");
  throw new Fatal("no way");
});
const schema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => ({ value: value as { n: number } }),
    jsonSchema: {
      input: () => ({ type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false }),
      output: () => ({ type: "object" }),
    },
  },
} as const;
export const good = pipeline("good", { params: schema as never }, ({ params }: any) => double({ n: params.n }));
export const bad = pipeline("bad", () => fail());
const list = task("list", async () => [1, 2]);
const each = task("each", async (n: number) => n);
export const fan = pipeline("fan", () => each.map(list()));
`;

test(
  "without a server the run gets one of its own, and nothing is left of it",
  async () => {
    const root = projectWith({ "pipelines/flows.ts": flows });
    const good = await millrace(root, "run", "good", "-p", "n=21", "--json");
    expect(good.exitCode, good.stderr).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({
      run: { state: "succeeded", params: { n: 21 }, output: 42 },
      nodes: [
        { id: "double", state: "succeeded", output: 42, attempts: [{ attempt: 1, state: "succeeded" }] },
      ],
    });
    expect(good.stdout.trim().split("\n")).toHaveLength(1);

    const bad = await millrace(root, "run", "bad");
    expect(bad.exitCode).toBe(1);
    expect(bad.stdout).toMatch(/✕ failed {2}fail .*no way/);
    expect(bad.stdout).toContain("on the edge");

    const wrong = await millrace(root, "run", "good", "-p", "n=many");
    expect(wrong).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("`n` must be a whole number"),
    });
    const unknown = await millrace(root, "run", "goood", "--json");
    expect(unknown.exitCode).toBe(2);
    expect(JSON.parse(unknown.stdout)).toMatchObject({
      error: { code: "MILLRACE_PIPELINE_UNKNOWN", advice: "Did you mean `good`?" },
    });
    expect(await millrace(root, "runs")).toMatchObject({ exitCode: 4 });
  },
  timeoutMs,
);

test(
  "Ctrl-C while its own server starts is no failure, although the terminal ends the bundler, too",
  async () => {
    const root = projectWith({
      "pipelines/flows.ts": `import { text } from "../text.ts";\n${flows}console.log(text);\n`,
    });
    // The bundler opens this one and waits: the other end opens when it does.
    execFileSync("mkfifo", [join(root, "text.ts")]);
    const run = spawnMillrace(root, ["run", "good", "-p", "n=1"], { ownGroup: true });
    const bundling = await open(join(root, "text.ts"), "w");
    onTestFinished(() => bundling.close());
    process.kill(-run.pid, "SIGINT");
    expect(await run.ended).toBe(130);
    expect(run.stderr()).toBe("");
  },
  timeoutMs,
);

test(
  "outputs that are kept apart are filled in, the run's too",
  async () => {
    const root = projectWith({
      "pipelines/large.ts": `import { pipeline, task } from "millrace";
const list = task("list", async (length: number) => Array.from({ length }, (_, index) => index));
export const large = pipeline("large", () => list(20_000));`,
    });
    const { stdout, stderr } = await millrace(root, "run", "large", "--json");
    const expected = Array.from({ length: 20_000 }, (_, index) => index);
    const { run, nodes } = JSON.parse(stdout) as { run: object; nodes: object[] };
    expect(run, stderr).toMatchObject({ state: "succeeded", output: expected });
    expect(nodes).toMatchObject([{ id: "list", output: expected }]);
    expect(nodes[0]).not.toHaveProperty("outputBlob");
  },
  timeoutMs,
);

test("what needs a server says that there is none, and how to start one", async () => {
  const root = projectWith({});
  const url = await unusedUrl();
  for (const command of ["pipelines", "pools", "workers"]) {
    const { exitCode, stderr } = await millrace(root, command, "--url", url);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`MILLRACE_SERVER_UNREACHABLE No server answers at ${url}.`);
    expect(stderr).toContain("millrace dev");
  }
});

test("lines of logs that may have been missed are said to be", async () => {
  const run = { id: "r1", pipeline: "p", state: "succeeded", generation: 1, labels: {} };
  const snapshot = { kind: "snapshot", detail: { run, nodes: [] } };
  const connections = [[snapshot], [snapshot, { kind: "end", run }]];
  await using server = await startApiServer((request) => {
    if (request === "POST /runs") return { status: 200, body: { run, created: true } };
    if (request === "GET /runs/r1/events")
      return { status: 200, body: undefined, events: connections.shift() ?? [] };
    const definition = { name: "p", tags: [], paused: false, nodes: [], regions: [] };
    return { status: 200, body: { name: "p", definition } };
  });
  const root = projectWith({});
  const { exitCode, stderr } = await millrace(root, "run", "p", "--logs", "--url", server.url);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain("`millrace logs r1` has them all");
});

test("wrong names of commands and options get suggestions", async () => {
  const root = projectWith({});
  expect(await millrace(root, "rnu")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("`millrace run`"),
  });
  expect(await millrace(root, "run", "--detatch", "x")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("`--detach`"),
  });
  expect(await millrace(root, "runs", "--state", "faild")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("failed"),
  });
});

test("wrong numbers and wrong names of inner commands say which and what instead", async () => {
  const root = projectWith({});
  expect(await millrace(root, "pools", "set", "a", "1.5")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/'1\.5' is invalid for argument 'slots'.*\n.*`millrace pools set --help`/),
  });
  expect(await millrace(root, "rollback", "x")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/'x' is invalid for argument 'deployment'.*from 1 on\.\n/),
  });
  expect(await millrace(root, "pipelines", "pasue", "hello")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("Did you mean `millrace pipelines pause`?"),
  });
  expect(await millrace(root, "graph", "hello", "--format", "mermiad")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("Did you mean `mermaid`?"),
  });
});

test("a project that the server does not have gets a suggestion", async () => {
  await using server = await startApiServer((request) => ({
    status: 200,
    body: { items: request === "GET /pipelines" ? [{ name: "p", project: "shop" }] : [] },
  }));
  for (const list of [[], ["--list"]]) {
    const args = ["rollback", "--project", "shp", "--url", server.url, ...list];
    expect(await millrace(projectWith({}), ...args)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/The server has no project "shp"\.\n.*Did you mean `shop`\?/),
    });
  }
});

test("a reader that goes away is no failure", async () => {
  expect(await endOf(emptyProject(), "pipe")).toEqual({ exitCode: 0, signal: null, stderr: "" });
});

test.skipIf(!existsSync("/dev/full"))("output to a full disk fails without a stack [on Linux]", async () => {
  const root = emptyProject();
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  expect(await endOf(root, full)).toEqual({
    exitCode: 1,
    signal: null,
    stderr: expect.stringMatching(/^The output can't be written: ENOSPC.*\n$/),
  });
});

test("doctor tells of a database's address that is none, and goes on", async () => {
  const root = emptyProject();
  const checks = await examine(
    { terminal: openTerminal({}), environment: readEnvironment({ DATABASE_URL: "nonsense" }), folder: root },
    {},
  );
  expect(checks).toContainEqual(
    expect.objectContaining({
      name: "Database",
      verdict: "fail",
      finding: expect.stringContaining("DATABASE_URL is not an address"),
    }),
  );
});

test(
  "every command has help with examples",
  async () => {
    const root = projectWith({});
    const overview = await millrace(root, "--help");
    const names = [...overview.stdout.matchAll(/^ {2}([a-z]+) {2,}[a-z]/gm)].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(15);
    const helps = await Promise.all(names.map((name) => millrace(root, name, "--help")));
    for (const [index, { exitCode, stdout }] of helps.entries()) {
      expect(exitCode, names[index]).toBe(0);
      expect(stdout, names[index]).toContain("Examples:");
    }
  },
  timeoutMs,
);

test("a graph warns of what the project listens to and does not have, with the nearest name", async () => {
  const root = projectWith({
    "pipelines/listening.ts": `import { asset, on, pipeline, task, wait } from "millrace";
      const see = task("see", () => 1);
      const totals = asset("totals");
      export const total = asset("total");
      export const sound = pipeline("sound", { on: on.updated(total) }, () => see());
      export const listening = pipeline("listening", { on: on.updated(totals) }, () => {
        wait(on.finished("suond"), { id: "ended" });
      });`,
  });
  const { exitCode, stdout, stderr } = await millrace(root, "graph", "listening");
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining("ended")]);
  expect(stderr.trimEnd().split("\n")).toEqual([
    '! The trigger of "listening" waits for the asset "totals", which no file of this project exports: another one must have it. Did you mean "total"?',
    '! The node "ended" of "listening" waits for runs of the pipeline "suond", which this project does not have: another one must have it. Did you mean "sound"?',
  ]);
  expect(await millrace(root, "graph", "sound")).toMatchObject({ exitCode: 0, stderr: "" });
});

test("a graph is drawn from the files, without a server", async () => {
  const root = projectWith({ "pipelines/flows.ts": flows });
  expect(await millrace(root, "graph", "good")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("● double"),
  });
  expect(await millrace(root, "graph", "god")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("`good`"),
  });
});

test("the doctor tells a broken project, with its place", async () => {
  const root = projectWith({ "pipelines/flows.ts": "const x = ;\n" });
  const { exitCode, stdout } = await millrace(root, "doctor", "--json");
  expect(exitCode).toBe(1);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string; finding: string }[] };
  expect(checks.find(({ name }) => name === "Node")).toMatchObject({ verdict: "ok" });
  expect(checks.find(({ name }) => name === "Project")).toMatchObject({
    verdict: "fail",
    finding: expect.stringContaining("pipelines/flows.ts:1"),
  });
});

/** An address at which nothing listens. */
async function unusedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test(
  "`--inspect` stops before the node's task until a debugger is there, which goes on",
  async () => {
    const root = projectWith({ "pipelines/flows.ts": flows });
    const wrong = await millrace(root, "run", "good", "-p", "n=1", "--inspect", "duoble");
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Did you mean `double`?") });
    const both = await millrace(root, "run", "good", "-p", "n=1", "--inspect", "double", "--json");
    expect(both).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("`--inspect` shows") });

    const run = spawnMillrace(root, ["run", "good", "-p", "n=21", "--inspect", "double"]);
    const debug = await Debugger.attach(await run.said(/Debugger listening on (ws:\/\/127\.0\.0\.1:\S+)/));
    await debug.send("Debugger.enable");
    const stopped = debug.event("Debugger.paused");
    await debug.send("Runtime.runIfWaitingForDebugger");
    await stopped;
    // The second step leads into the task.
    for (const _ of [1, 2]) {
      const again = debug.event("Debugger.paused");
      await debug.send("Debugger.stepInto");
      await again;
    }
    const frame = debug.last("Debugger.paused").callFrames[0];
    const { result } = await debug.send("Debugger.evaluateOnCallFrame", {
      callFrameId: frame.callFrameId,
      expression: "input.n",
    });
    expect(result).toMatchObject({ value: 21 });
    await debug.send("Debugger.resume");
    debug.close();
    expect(await run.ended).toBe(0);
  },
  timeoutMs,
);

test(
  "`--inspect` of an item that there is none of says so: at once, or when the run knows its items",
  async () => {
    const root = projectWith({ "pipelines/flows.ts": flows });
    const refused = async (pipeline: string, node: string): Promise<string> => {
      const run = await millrace(root, "run", pipeline, "-p", "n=1", "--inspect", node);
      expect(run.exitCode, run.stderr).toBe(2);
      expect(run.stdout).not.toContain("Debugger listening");
      return run.stderr;
    };
    expect(await refused("good", "double[0]")).toContain(
      "The node `double` has no item [0]: it is in no fan-out.",
    );
    const fan = await millrace(root, "run", "fan", "--inspect", "each[0.1]");
    expect(fan).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Name one as `each[0]`") });
    const beyond = await millrace(root, "run", "fan", "--inspect", "each[99]");
    expect(beyond).toMatchObject({
      exitCode: 2,
      stdout: expect.stringContaining("succeeded"),
      stderr: expect.stringContaining("MILLRACE_NODE_UNKNOWN"),
    });
    expect(beyond.stderr).toContain("has no item [99]: it had 2 items in this run");
  },
  timeoutMs,
);
