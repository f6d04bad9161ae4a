import { spawn } from "node:child_process";
import { chown, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddedConnection } from "@millrace/store";
import { Client } from "pg";

/** Where Debian installs PostgreSQL 15. */
export const debianServerFolder = "/usr/lib/postgresql/15";

const startTimeoutMs = 30_000;

/** A private cluster of an installed PostgreSQL, reachable only by a socket; as root it runs as user `postgres`. */
export async function startDebianServer(
  folder: string,
  installation: string,
): Promise<{ readonly connection: EmbeddedConnection; stop(): Promise<void> }> {
  const user = process.getuid?.() === 0 ? await postgresUser() : {};
  const [home, data, socket] = [
    join(folder, "debian"),
    join(folder, "debian/data"),
    join(folder, "debian/s"),
  ];
  for (const path of [home, socket]) {
    await mkdir(path, { mode: 0o700 });
    if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
  }
  const spawnOptions = { cwd: "/", ...user } as const;
  const initdb = spawn(
    join(installation, "bin/initdb"),
    ["-D", data, "-U", "millrace", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
    { ...spawnOptions, stdio: ["ignore", "ignore", "inherit"] },
  );
  const exitCode = await ended(initdb);
  if (exitCode !== 0) throw new Error(`initdb of ${installation} ended with ${exitCode}`);
  await writeFile(join(data, "pg_hba.conf"), "local all all trust\n");

  const logPath = join(folder, "debian.log");
  const log = await open(logPath, "a");
  const settings = {
    listen_addresses: "",
    unix_socket_directories: socket,
    shared_buffers: "64MB",
    jit: "off",
  };
  const server = spawn(
    join(installation, "bin/postgres"),
    ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { ...spawnOptions, stdio: ["ignore", log.fd, log.fd] },
  );
  await log.close();
  const end = ended(server);
  const connection = { host: socket, user: "millrace", database: "postgres" };
  await waitForAnswer(connection, () => server.exitCode !== null, logPath);
  return {
    connection,
    stop: async () => {
      server.kill("SIGINT");
      await end;
    },
  };
}

async function postgresUser(): Promise<{ uid?: number; gid?: number }> {
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(await readFile("/etc/passwd", "utf8"));
  if (line === null) throw new Error("there is no user `postgres`: is PostgreSQL installed?");
  return { uid: Number(line[1]), gid: Number(line[2]) };
}

function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code));
  });
}

async function waitForAnswer(
  connection: EmbeddedConnection,
  hasEnded: () => boolean,
  logPath: string,
): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!hasEnded() && performance.now() < deadline) {
    const client = new Client({ ...connection });
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
  }
  throw new Error(`PostgreSQL did not start:\n${await readFile(logPath, "utf8")}`);
}
