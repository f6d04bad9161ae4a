/** What is around Millrace is broken: each fault has its code, and what runs already lives on. */
import { canMount, fillDisk, smallDisk } from "@millrace/testkit";
import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import type { Ended } from "./harness/command.ts";
import { byTaskRun } from "./harness/ledger.ts";
import { Proxy } from "./harness/proxy.ts";
import { isLong, projectFolder, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const long = { timeout: 120_000 };
const nobody = 65_534;

/** A command's refusal: its code stands in what it said, and it did not succeed. */
function expectRefusal(ended: Ended, code: string): void {
  expect(`${ended.out}\n${ended.err}`).toContain(code);
  expect(ended.code).not.toBe(0);
  expect(ended.signal).toBeNull();
}

describe("a server does not start, and says why,", () => {
  test("when its port is taken", long, async () => {
    await using stack = await Stack.make();
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", () => resolve());
    });
    stack.onEnd(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as { port: number };
    expectRefusal(await stack.serverCommand({ port }).ended, "MILLRACE_PORT_TAKEN");
  });

  test.skipIf(process.getuid?.() !== 0)(
    "when another user owns its state folder [as root only]",
    long,
    async () => {
      await using stack = await Stack.make();
      await mkdir(stack.state, { mode: 0o755 });
      await chmod(stack.folder, 0o755);
      expectRefusal(await stack.serverCommand({ uid: nobody }).ended, "MILLRACE_STATE_FOLDER");
    },
  );

  test.skipIf(!canMount())("when the disk is too small [where mounting is allowed]", long, async () => {
    await using disk = await smallDisk("60m");
    await using stack = await Stack.make({ state: disk.folder });
    const ended = await stack.serverCommand().ended;
    expectRefusal(ended, "MILLRACE_STATE_FOLDER");
  });

  test("when the database is that of a newer version, or PostgreSQL is too old", long, async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    const { command } = await stack.server();
    expect((await command.stop()).code).toBe(0);

    // PostgreSQL 14 by all that a client can see of it: a proxy changes the version in its answers.
    await using proxy = await Proxy.to({ path: `${stack.socketFolder}/.s.PGSQL.5432` }, (data) =>
      Buffer.from(data.toString("latin1").replaceAll("180004", "140004"), "latin1"),
    );
    const old = await stack.serverCommand({ environment: { DATABASE_URL: proxyUrl(proxy) } }).ended;
    expectRefusal(old, "MILLRACE_DATABASE_TOO_OLD");

    await stack.query(
      `insert into millrace.migration select (jsonb_populate_record(m, '{"number": 999999, "name": "from_the_future", "breaking": true}')).*
         from millrace.migration m order by number desc limit 1`,
    );
    expectRefusal(await stack.serverCommand().ended, "MILLRACE_SCHEMA_NEWER");
  });
});

function proxyUrl(proxy: Proxy): string {
  return `postgres://millrace@127.0.0.1:${proxy.port}/postgres`;
}

test(
  "a wrong token is refused everywhere, and address and token are all that a worker needs",
  long,
  async () => {
    await using stack = await Stack.make();
    const token = "right-token-0123456789";
    const { api } = await stack.server({ token });
    const wrong = await stack.workerCommand({ url: api.url, token: "wrong" }).ended;
    expectRefusal(wrong, "MILLRACE_UNAUTHORIZED");
    expectRefusal(
      await stack.run(["deploy", projectFolder], { environment: { MILLRACE_URL: api.url } }),
      "MILLRACE_UNAUTHORIZED",
    );
    await expect(new Api(api.url).info()).rejects.toMatchObject({ status: 401 });
    await stack.deploy(api, { token });

    // A folder that knows nothing of the project or the database.
    const elsewhere = join(stack.folder, "elsewhere");
    await mkdir(elsewhere);
    await stack.worker({
      url: api.url,
      token,
      folder: elsewhere,
      environment: { MILLRACE_STATE: join(elsewhere, "state") },
    });
    expect((await api.ended(await api.start("works-well"), 60_000)).run.state).toBe("succeeded");
  },
);

test("a second `dev` on one folder says who has it, and the first lives on", long, async () => {
  await using stack = await Stack.make();
  const project = await copyOfProject(stack);
  const first = stack.command(["dev", project, "--json", "--port", "0"]);
  const { url } = await first.event("ready");
  const second = await stack.run(["dev", project, "--json", "--port", "0"]);
  expectRefusal(second, "MILLRACE_STATE_IN_USE");
  expect(`${second.out}${second.err}`).toContain(String(url));
  const { port } = new URL(String(url));
  expectRefusal(await stack.run(["dev", project, "--json", "--port", port]), "MILLRACE_STATE_IN_USE");
  const api = new Api(String(url));
  expect((await api.ended(await api.start("works-well"), 60_000)).run.state).toBe("succeeded");
  expect(first.isAlive).toBe(true);
});

const brokenFiles: { readonly [what: string]: readonly [code: string, text: string] } = {
  "that throws": ["MILLRACE_LOAD_FAILED", `throw new Error("broken at import");`],
  "with a syntax error": ["MILLRACE_BUNDLE_FAILED", `export const broken = ;`],
  "with two nodes of one id": [
    "MILLRACE_GRAPH_DUPLICATE_ID",
    `import { pipeline, task } from "millrace";
     const one = task("one", () => 1);
     export const twice = pipeline("twice", () => { one(); one(); });`,
  ],
  "with a reference of another pipeline": [
    "MILLRACE_GRAPH_FOREIGN_REFERENCE",
    `import { pipeline, task } from "millrace";
     const one = task("one", () => 1);
     const next = task("next", (n: number) => n);
     let kept: ReturnType<typeof one>;
     export const first = pipeline("first", () => { kept = one(); });
     export const other = pipeline("other", () => { next(kept); });`,
  ],
  "that never ends": ["MILLRACE_LOAD_TIMEOUT", `for (;;);`],
};

test.skipIf(!isLong)(
  "a broken pipeline file is an error with its file, and the last good version runs on [long]",
  { timeout: 180_000 },
  async () => {
    await using stack = await Stack.make();
    const project = await copyOfProject(stack);
    const dev = stack.command(["dev", project, "--json", "--port", "0"]);
    const { url } = await dev.event("ready");
    const api = new Api(String(url));
    const files = Object.entries(brokenFiles);
    for (const [what, [code, text]] of isLong ? files : files.slice(0, 2)) {
      await writeFile(join(project, "pipelines", "broken.ts"), `${text}\n`);
      await until(`${code} of a file ${what}; dev said: ${dev.said.slice(-2_000)}`, 30_000, () =>
        dev.said.includes(code),
      );
      const said = dev.said
        .split("\n")
        .filter((line) => line.includes(code))
        .join("\n");
      expect(said, what).toContain("broken.ts");
      expect((await api.ended(await api.start("works-well"), 60_000)).run.state).toBe("succeeded");
    }
  },
);

async function copyOfProject(stack: Stack): Promise<string> {
  const project = join(stack.folder, "project");
  await cp(projectFolder, project, { recursive: true });
  // Outside of the repository its packages are found by their place, as in any project.
  for (const name of ["millrace", "zod"])
    await cp(join(projectFolder, "..", "..", "node_modules", name), join(project, "node_modules", name), {
      recursive: true,
      verbatimSymlinks: false,
    }).catch(() => {});
  return project;
}

const outageMs = isLong ? 30_000 : 8_000;

test(
  `a database that is away for ${outageMs / 1_000} s loses nothing and needs no restart`,
  { timeout: 240_000 },
  async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    await using proxy = await Proxy.to({ path: `${stack.socketFolder}/.s.PGSQL.5432` });
    const { command, api } = await stack.server({ environment: { DATABASE_URL: proxyUrl(proxy) } });
    const worker = await stack.worker({ url: api.url });
    await stack.deploy(api);
    const started = await Promise.all(Array.from({ length: 40 }, () => api.start("chain")));
    await until("runs are under way", 10_000, () => stack.ledger().length > 10);

    proxy.cut();
    const cutAt = performance.now();
    await until("the server answers while the database is away, and says so", outageMs, async () => {
      expect(performance.now() - cutAt).toBeLessThan(outageMs);
      return (await api.info()).state === "database_lost";
    });
    await expect(api.start("chain")).rejects.toMatchObject({ status: 503 });
    // The length of the outage is what is tested.
    await until("the outage is over", outageMs + 1_000, () => performance.now() - cutAt >= outageMs);
    proxy.open();

    for (const id of started) expect((await api.ended(id, 60_000)).run.state).toBe("succeeded");
    const keys = [...byTaskRun(stack.ledger()).values()].map(
      (lines) => new Set(lines.map(({ key }) => key)).size,
    );
    expect(keys).toEqual(Array.from({ length: 40 * 4 }, () => 1));
    expect([command.isAlive, worker.isAlive]).toEqual([true, true]);
  },
);

test.skipIf(!canMount() || !isLong)(
  "a full disk stops nothing for good: what waits goes on when there is space [long, where mounting is allowed]",
  { timeout: 180_000 },
  async () => {
    await using disk = await smallDisk("200m");
    await using stack = await Stack.make({ state: disk.folder });
    const { command, api } = await stack.server();
    await stack.worker({ url: api.url });
    await stack.deploy(api);
    const started = await Promise.all(Array.from({ length: 8 }, () => api.start("lasting")));
    const filler = await fillDisk(disk.folder);
    const refused: unknown[] = [];
    // Writes go into space that PostgreSQL has already, until it needs more.
    await until("a run is refused or does not end", 60_000, async () => {
      await api.start("lasting").then(
        (id) => started.push(id),
        (error: unknown) => refused.push(error),
      );
      await api.start("prints-much").catch((error: unknown) => refused.push(error));
      return refused.length > 0;
    });
    expect(command.isAlive).toBe(true);
    expect((await api.info()).version).toBeTruthy();
    await filler.remove();
    for (const id of started) expect((await api.ended(id, 90_000)).run.state).toBe("succeeded");
    const after = await until("a new run is accepted", 30_000, () => api.start("works-well"));
    expect((await api.ended(after, 60_000)).run.state).toBe("succeeded");
    expect(command.isAlive).toBe(true);
  },
);
