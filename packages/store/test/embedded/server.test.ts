import { canMount, fillDisk, smallDisk } from "@millrace/testkit";
import { watch } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { expect, test } from "vitest";
import { type EmbeddedServer, type EmbeddedOptions, startEmbedded } from "../../src/embedded/server.ts";
import { startOwner } from "./owner.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

const isRoot = process.getuid?.() === 0;

async function start(
  folder: TemporaryFolder,
  options: Partial<EmbeddedOptions> = {},
): Promise<EmbeddedServer> {
  const server = await startEmbedded({ ...options, folder: folder.state });
  folder.defer(() => server.stop());
  return server;
}

async function query(server: EmbeddedServer, text: string): Promise<unknown[]> {
  const client = new Client({ ...server.connection });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test("a first start makes a durable server that only the socket reaches", async () => {
  await using folder = await temporaryFolder();
  const server = await start(folder);
  expect(server).toMatchObject({ adopted: false, version: expect.stringMatching(/^18\./) });
  const rows = await query(
    server,
    `select name, setting from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'server_encoding')
     order by name`,
  );
  expect(rows).toEqual([
    { name: "fsync", setting: "on" },
    { name: "full_page_writes", setting: "on" },
    { name: "listen_addresses", setting: "" },
    { name: "server_encoding", setting: "UTF8" },
    { name: "synchronous_commit", setting: "on" },
  ]);
  const socket = await stat(server.connection.host);
  expect(socket.mode & 0o777).toBe(0o700);
  expect(`${server.connection.host}/.s.PGSQL.5432`.length).toBeLessThan(107);
});

test("data that a `chmod -R` opened to others are closed again and served", async () => {
  await using folder = await temporaryFolder();
  const first = await start(folder);
  await first.stop();
  await chmod(first.dataFolder, 0o755);
  const second = await start(folder);
  expect(await query(second, "select 1 as one")).toEqual([{ one: 1 }]);
  expect((await stat(second.dataFolder)).mode & 0o777).toBe(0o700);
});

test("a stopped server is gone, and the next start finds its data", async () => {
  await using folder = await temporaryFolder();
  const first = await start(folder);
  await query(first, "create table kept as select 42 as answer");
  await Promise.all([first.stop(), first.stop()]);
  expect(() => process.kill(first.pid(), 0)).toThrow("ESRCH");
  await expect(stat(first.connection.host)).rejects.toThrow("ENOENT");

  const second = await start(folder);
  expect(second.adopted).toBe(false);
  expect(await query(second, "select answer from kept")).toEqual([{ answer: 42 }]);
});

test("the server of a killed owner is adopted while it runs", async () => {
  await using folder = await temporaryFolder();
  const owner = startOwner(folder);
  const { pid } = await owner.report;
  await owner.kill();
  const server = await start(folder);
  expect(server.adopted).toBe(true);
  expect(server.pid()).toBe(pid);
  await query(server, "select 1");
});

test("a server that was killed together with its owner recovers what was committed", async () => {
  await using folder = await temporaryFolder();
  const owner = startOwner(folder);
  const { pid } = await owner.report;
  await owner.kill();
  const adopted = await startEmbedded({ folder: folder.state });
  await query(adopted, "create table kept as select generate_series(1, 1000) as n");
  await adopted.stop();

  const second = startOwner(folder);
  const report = await second.report;
  expect(report.pid).not.toBe(pid);
  await second.kill();
  process.kill(report.pid ?? 0, "SIGKILL");
  const server = await start(folder);
  expect(server.adopted).toBe(false);
  expect(await query(server, "select count(*)::integer as n from kept")).toEqual([{ n: 1000 }]);
});

test.skipIf(process.platform !== "linux")(
  "a state folder that was deleted while its server ran is made anew, without waiting for that server",
  async () => {
    await using folder = await temporaryFolder();
    const owner = startOwner(folder);
    const { pid } = await owner.report;
    await owner.kill();
    await rm(folder.state, { recursive: true, maxRetries: 5 });
    const server = await start(folder);
    expect(server.adopted).toBe(false);
    expect(server.pid()).not.toBe(pid);
    await query(server, "select 1");
  },
);

test("a server that dies while we run is started again, with its data", async () => {
  await using folder = await temporaryFolder();
  const restarted = Promise.withResolvers<void>();
  const server = await start(folder, { onRestart: restarted.resolve });
  await query(server, "create table kept as select 42 as answer");
  const pid = server.pid();
  process.kill(pid, "SIGKILL");
  await restarted.promise;
  expect(server.pid()).not.toBe(pid);
  expect(await query(server, "select answer from kept")).toEqual([{ answer: 42 }]);
});

test("a stop right after the server's death leaves nothing running", async () => {
  await using folder = await temporaryFolder();
  const server = await startEmbedded({ folder: folder.state });
  process.kill(server.pid(), "SIGKILL");
  await server.stop();
  expect(() => process.kill(server.pid(), 0)).toThrow("ESRCH");
  const next = await start(folder);
  await query(next, "select 1");
});

test("of two processes that start at once on a new folder, one runs it and the other names that one", async () => {
  await using folder = await temporaryFolder();
  const owners = [startOwner(folder, "http://a"), startOwner(folder, "http://b")];
  const reports = await Promise.all(owners.map((owner) => owner.report));
  const winner = reports.findIndex(({ kind }) => kind === "ready");
  const loser = reports[1 - winner];
  expect(loser).toMatchObject({
    kind: "failed",
    code: "MILLRACE_STATE_IN_USE",
    fields: { pid: owners[winner]?.process.pid },
  });
  await owners[winner]?.kill();
  await start(folder);
});

test("a first start that is killed in the middle leaves a clean retry", async () => {
  await using folder = await temporaryFolder();
  await mkdir(folder.state, { mode: 0o711 });
  const begun = Promise.withResolvers<void>();
  const watcher = watch(folder.state, (_, name) => {
    if (name?.startsWith("postgres.incoming-") === true) begun.resolve();
  });
  const owner = startOwner(folder);
  owner.report.catch(() => {});
  await begun.promise;
  watcher.close();
  await owner.kill();
  const server = await start(folder);
  await query(server, "select 1");
  expect((await readdir(folder.state)).filter((name) => name.includes("incoming"))).toEqual([]);
});

test("a process id in the server's file that is another program's by now does not hinder a start", async () => {
  await using folder = await temporaryFolder();
  const first = await startEmbedded({ folder: folder.state });
  const file = join(first.dataFolder, "postmaster.pid");
  const text = await readFile(file, "utf8");
  await first.stop();
  await writeFile(file, text.replace(/^\d+/, String(process.pid)));
  const server = await start(folder);
  expect(server.adopted).toBe(false);
});

test("data of another PostgreSQL version are refused, and left alone", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.state, "postgres");
  await mkdir(data, { recursive: true });
  await writeFile(join(data, "PG_VERSION"), "17\n");
  await expect(startEmbedded({ folder: folder.state })).rejects.toMatchObject({
    code: "MILLRACE_DATA_VERSION",
    fields: { folder: data, found: "17", expected: "18" },
  });
  expect(await readdir(data)).toEqual(["PG_VERSION"]);
});

test("a server that can't start says why, with the end of its log", async () => {
  await using folder = await temporaryFolder();
  await expect(
    startEmbedded({ folder: folder.state, settings: { shared_buffers: "nonsense" } }),
  ).rejects.toMatchObject({
    code: "MILLRACE_EMBEDDED_FAILED",
    message: expect.stringContaining('invalid value for parameter "shared_buffers"'),
    fields: { logPath: join(folder.state, "postgres.log") },
  });
  // The folder was given back.
  await start(folder);
});

test("a state folder below a file is refused with its name", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.root, "file"), "");
  await expect(startEmbedded({ folder: join(folder.root, "file", "state") })).rejects.toMatchObject({
    code: "MILLRACE_STATE_FOLDER",
    fields: { folder: join(folder.root, "file", "state") },
  });
});

test.runIf(isRoot)("root's server has its data outside of a folder that only root can pass", async () => {
  await using folder = await temporaryFolder();
  await chmod(folder.root, 0o700);
  const first = await startEmbedded({ folder: folder.state });
  expect(first.dataFolder).toMatch(/^\/var\/lib\/millrace\/data-/);
  await query(first, "create table kept as select 42 as answer");
  await first.stop();
  const second = await startEmbedded({ folder: folder.state });
  try {
    expect(second.dataFolder).toBe(first.dataFolder);
    expect(await query(second, "select answer from kept")).toEqual([{ answer: 42 }]);
  } finally {
    await second.stop();
    await rm(join(second.dataFolder, ".."), { recursive: true });
  }
});

test.runIf(canMount())(
  "a disk that is too small for a first start is refused before it is filled",
  async () => {
    await using disk = await smallDisk("20m");
    await expect(startEmbedded({ folder: join(disk.folder, "state") })).rejects.toMatchObject({
      code: "MILLRACE_STATE_FOLDER",
      message: expect.stringMatching(/too little space.*\(\d+ MB free\)/),
    });
  },
);

test.runIf(canMount())("a full disk refuses a start, and a freed one starts with its data", async () => {
  await using disk = await smallDisk("160m");
  const folder = join(disk.folder, "state");
  const first = await startEmbedded({ folder });
  await query(first, "create table kept as select 42 as answer");
  await first.stop();
  const filler = await fillDisk(disk.folder);
  await expect(startEmbedded({ folder })).rejects.toMatchObject({ code: "MILLRACE_STATE_FOLDER" });
  await filler.remove();
  const server = await startEmbedded({ folder });
  try {
    expect(await query(server, "select answer from kept")).toEqual([{ answer: 42 }]);
  } finally {
    await server.stop();
  }
});

test.runIf(canMount())("a read-only disk is refused with the folder's name", async () => {
  await using disk = await smallDisk("20m");
  const folder = join(disk.folder, "state");
  disk.readOnly();
  await expect(startEmbedded({ folder })).rejects.toMatchObject({
    code: "MILLRACE_STATE_FOLDER",
    message: expect.stringContaining("is on a read-only file system"),
  });
});
