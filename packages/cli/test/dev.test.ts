import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Dev, emptyProject, millrace, projectWith, spawnMillrace } from "./command-process.ts";

const timeoutMs = 120_000;

test(
  "a new project is made, served, run, shown, read and run again, and stops at Ctrl-C",
  async () => {
    const root = emptyProject();
    const made = await millrace(root, "init");
    expect(made.exitCode, made.stderr).toBe(0);
    expect(made.stdout).toContain("npx millrace dev");
    const again = await millrace(root, "init");
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("nothing was written") });

    const dev = new Dev(root);
    expect(await dev.event("ready")).toMatchObject({
      pipelines: ["hello"],
      url: expect.stringMatching(/^http/),
    });

    const tried = await millrace(root, "deploy", "--dry-run");
    expect(tried).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("is deployed already") });

    const run = await millrace(root, "run", "hello", "--json");
    expect(run.exitCode, run.stderr).toBe(0);
    const document = JSON.parse(run.stdout) as {
      run: { id: string; state: string };
      nodes: { id: string; item: string; attempts: unknown[] }[];
    };
    expect(document.run).toMatchObject({ state: "succeeded", output: { cities: 4, warmest: "Nairobi" } });
    expect(document.nodes.map(({ id }) => id)).toEqual(["list", "read", "read", "read", "read", "write"]);
    // As the folder lists its files: one of them fails at first.
    const retried = document.nodes.filter(({ attempts }) => attempts.length > 1);
    expect(retried).toMatchObject([{ id: "read", attempts: [{ state: "failed" }, { state: "succeeded" }] }]);
    const item = retried[0]?.item ?? "";

    const { id } = document.run;
    const shown = await millrace(root, "show", id.slice(0, -2));
    expect(shown.stdout).toContain(`● hello ${id}`);
    expect(shown.stdout).toMatch(/● read .* 4\/4/);
    expect(shown.stdout).toMatch(
      /\nartifacts\n {2}\S.* http:\/\/127\.0\.0\.1:\d+\/api\/v1\/blobs\/[0-9a-f]{64}/,
    );
    const logs = await millrace(root, "logs", id, "read", "--item", item);
    expect(logs.stdout).toContain("read Oslo");
    expect(logs.stdout).not.toContain("Lisbon");
    const rerun = await millrace(root, "rerun", id, "--node", "write", "--json");
    expect(rerun.exitCode, rerun.stderr).toBe(0);
    expect(JSON.parse(rerun.stdout)).toMatchObject({ run: { id, generation: 2, state: "succeeded" } });
    const listed = await millrace(root, "runs", "--json");
    // The stream has started one, too: three of the four files make a batch.
    expect(JSON.parse(listed.stdout)).toMatchObject({
      runs: expect.arrayContaining([expect.objectContaining({ id, generation: 2 })]),
    });
    const batches = await millrace(root, "trigger", "firings", "hello", "--json");
    expect(JSON.parse(batches.stdout)).toMatchObject({
      firings: expect.arrayContaining([expect.objectContaining({ memberCount: 3, state: "started" })]),
    });
    const byPerson = await millrace(root, "runs", "--by", "person", "--since", "1h", "--oldest", "--json");
    expect(JSON.parse(byPerson.stdout)).toMatchObject({ runs: [{ id }] });
    const byCall = await millrace(root, "runs", "--by", "call");
    expect(byCall.stdout).toContain("No such runs.");

    expect(await dev.stop("SIGINT")).toBe(130);
    expect(await millrace(root, "runs")).toMatchObject({ exitCode: 4 });
  },
  timeoutMs,
);

test.for([
  ["dev", 130],
  ["server", 0],
] as const)(
  "Ctrl-C while the first start of `millrace %s` makes its database is no failure",
  { timeout: timeoutMs },
  async ([command, exitCode]) => {
    const root = projectWith({ "pipelines/flow.ts": flow("hello") });
    const state = join(root, ".millrace");
    mkdirSync(state, { mode: 0o711 });
    const watcher = watch(state);
    const making = new Promise<void>((resolve) => {
      watcher.on("change", (_event, name) => {
        if (String(name).startsWith("postgres.incoming-")) resolve();
      });
    });
    onTestFinished(() => watcher.close());
    const started = spawnMillrace(root, [command, "--port", "0"], { ownGroup: true });
    await making;
    process.kill(-started.pid, "SIGINT");
    expect(await started.ended).toBe(exitCode);
    expect(started.stderr()).toBe("");
    expect(existsSync(join(state, "server.json"))).toBe(false);
  },
);

const flow = (text: string): string => `import { pipeline, task } from "millrace";
const say = task("say", async () => ${JSON.stringify(text)});
export const flow = pipeline("flow", () => say());
`;

test(
  "a changed file is deployed, and a broken one leaves the last version running",
  async () => {
    const root = projectWith({ "pipelines/flow.ts": flow("first") });
    const file = join(root, "pipelines/flow.ts");
    const dev = new Dev(root);
    await dev.event("ready");
    writeFileSync(file, flow("second"));
    expect(await dev.event("deployed")).toMatchObject({ deployment: 2 });

    writeFileSync(file, `${flow("third")}\nthrow new Error("half a thought");\n`);
    expect(await dev.event("broken")).toMatchObject({
      stillRunning: 2,
      error: {
        code: "MILLRACE_LOAD_FAILED",
        message: expect.stringContaining("half a thought"),
        source: { file: "pipelines/flow.ts", line: 5 },
        fields: { frame: expect.stringContaining("> 5 | throw new Error") },
      },
    });
    const run = await millrace(root, "run", "flow", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ run: { state: "succeeded", output: "second" } });

    writeFileSync(file, flow("fourth"));
    await dev.event("deployed", 1);
    const mended = await millrace(root, "run", "flow", "--json");
    expect(JSON.parse(mended.stdout)).toMatchObject({ run: { output: "fourth" } });
  },
  timeoutMs,
);

test(
  "a second dev on the same folder names the first and its address",
  async () => {
    const root = projectWith({ "pipelines/flow.ts": flow("x") });
    const dev = new Dev(root);
    const { url } = await dev.event("ready");
    const second = await millrace(root, "dev", "--port", "0");
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("MILLRACE_STATE_IN_USE");
    expect(second.stderr).toContain(`process ${dev.child.pid} at ${String(url)}`);
  },
  timeoutMs,
);

const ticking = `import { pipeline, task } from "millrace";
import { existsSync } from "node:fs";
const tick = task("tick", async (_: unknown, ctx) => {
  ctx.log.info("begun");
  while (!existsSync("go-on")) await new Promise((resolve) => setTimeout(resolve, 50));
  ctx.log.info("gone on");
});
export const flow = pipeline("flow", () => tick(null));
`;

test(
  "who follows a run's logs sees all of them, also when the server is away for a while",
  async () => {
    const root = projectWith({ "pipelines/flow.ts": ticking });
    const dev = new Dev(root);
    const { port } = new URL(String((await dev.event("ready"))["url"]));
    const id = (await millrace(root, "run", "flow", "--detach")).stdout.trim();
    const logs = spawnMillrace(root, ["logs", "-f", id]);
    await logs.said(/begun/);
    await dev.stop();
    writeFileSync(join(root, "go-on"), "");
    await logs.said(/does not answer: trying again/);
    // A restart takes a while on a busy machine.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const next = new Dev(root, { args: ["--port", port] });
    await next.event("ready");
    expect(await logs.ended).toBe(0);
    await logs.said(/gone on/);
  },
  timeoutMs,
);

test(
  "after kill −9 nothing of dev goes on but PostgreSQL, which the next one takes over",
  async () => {
    const root = projectWith({ "pipelines/flow.ts": flow("x") });
    const dev = new Dev(root);
    await dev.event("ready");
    const before = childrenOf(dev.child.pid ?? 0);
    expect(before.some(({ command }) => command.includes("worker-process"))).toBe(true);
    await dev.stop("SIGKILL");
    const ours = before.filter(({ command }) => !command.includes("postgres"));
    await expect.poll(() => ours.filter(({ pid }) => isAlive(pid)), { timeout: 15_000 }).toEqual([]);

    const next = new Dev(root);
    expect(await next.event("ready")).toMatchObject({ database: expect.stringContaining("taken over") });
  },
  timeoutMs,
);

test(
  "a run that is started right after kill −9 waits until what the dead server held is taken over",
  async () => {
    const root = projectWith({ "pipelines/flow.ts": flow("x") });
    const dev = new Dev(root);
    await dev.event("ready");
    await dev.stop("SIGKILL");
    const { exitCode, stderr } = await millrace(root, "run", "flow");
    expect(exitCode, stderr).toBe(0);
  },
  timeoutMs,
);

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** All that descends from a process, by Linux's own account. */
function childrenOf(pid: number): Process[] {
  const direct = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
  return direct.flatMap((child) => [{ pid: child, command: commandOf(child) }, ...childrenOf(child)]);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
