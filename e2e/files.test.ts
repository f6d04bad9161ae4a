/**
 * Files come and change while the server that reads them is killed, again and again, and while there is none. What the log
 * tells is compared with what was written: each version once, and the last version of each file.
 *
 * `MILLRACE_TEST_SEED` repeats the choices of one run; `MILLRACE_TEST_LONG` kills 30 times.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SourceView } from "@millrace/protocol";
import { seededRandom } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { Kept } from "./harness/kept.ts";
import { freePort, isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const seed = Number(process.env["MILLRACE_TEST_SEED"] ?? 20_261_127);
const kills = isLong ? 30 : 3;
/** A start after a kill adopts PostgreSQL, and takes the shards of the dead over after its lease. */
const stallMs = isLong ? 600_000 : 120_000;
const projectFolder = join(import.meta.dirname, "files-project");

interface Told {
  readonly subject: string;
  readonly fingerprint: string;
  readonly version: number;
}

class Writer {
  readonly #folder: string;
  readonly #random = seededRandom(seed);
  readonly files: string[] = [];

  constructor(stack: Stack) {
    this.#folder = join(stack.folder, "landing");
    mkdirSync(this.#folder);
  }

  /** New files, and some changed ones. */
  write(count: number): void {
    for (let written = 0; written < count; written += 1) {
      const isChange = this.files.length > 0 && this.#random.below(4) === 0;
      const file = isChange
        ? this.#random.pick(this.files)
        : `${this.#random.below(5)}/${this.files.length}.csv`;
      if (!isChange) this.files.push(file);
      const path = join(this.#folder, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "x".repeat(1 + this.#random.below(1_000)));
    }
  }

  /** What each file is now, as a source tells it. */
  state(): { [file: string]: string } {
    return Object.fromEntries(
      this.files.map((file) => {
        const { size, mtimeNs } = statSync(join(this.#folder, file), { bigint: true });
        return [file, `${size}-${mtimeNs}`];
      }),
    );
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }
}

async function told(stack: Stack): Promise<Told[]> {
  return stack.query<Told>(
    `select subject, data ->> 'fingerprint' as fingerprint, (data ->> 'version')::integer as version
      from event_log
      where type = 'file.arrived'
      order by position`,
  );
}

test(
  `${kills} kills of the server that reads a folder lose and double no version of a file (seed ${seed})`,
  { timeout: isLong ? 1_200_000 : 240_000 },
  async () => {
    await using stack = await Stack.make();
    const writer = new Writer(stack);
    const port = await freePort();
    const api = new Api(`http://127.0.0.1:${port}`, { timeoutMs: 10_000 });
    const server = new Kept(() => stack.serverCommand({ port, folder: stack.folder }));
    stack.onEnding(async () => server.release());
    await server.command.event("ready");
    writer.write(50);
    await stack.deploy(api, { folder: projectFolder });
    for (let kill = 0; kill < kills; kill += 1) {
      const mark = (await told(stack)).length + writer.below(300);
      await until(`events before kill ${kill}`, stallMs, async () => {
        writer.write(20);
        return (await told(stack)).length > mark;
      });
      await server.kill();
      // Nobody reads now.
      writer.write(100);
      await server.command.event("ready");
    }
    await until("the last versions of all files", stallMs, async () => isAllTold(stack, writer));
    // A whole look at the folder finds nothing more.
    const before = await looked(api);
    const after = await until("another look at the folder", stallMs, async () => {
      const view = await looked(api);
      return view.lastScan?.at !== before.lastScan?.at && view;
    });
    expect(after).toMatchObject({ state: "running", remembered: writer.files.length, settling: 0 });
    const events = await told(stack);
    expect(after.events).toBe(events.length);
    const names = events.map(({ subject, fingerprint }) => `${subject} ${fingerprint}`);
    expect(new Set(names).size).toBe(names.length);
    for (const [file, versions] of Map.groupBy(events, ({ subject }) => subject))
      expect(
        versions.map(({ version }) => version),
        file,
      ).toEqual(versions.map((_, at) => at + 1));
  },
);

test(
  "of two servers one reads a folder, and the other goes on when that one is killed",
  { timeout: 240_000 },
  async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    const writer = new Writer(stack);
    // Each in a folder of the same name: both see the files.
    const servers = [
      await stack.server({ folder: stack.folder }),
      await stack.server({ folder: stack.folder }),
    ];
    await until("two servers share the shards", stallMs, async () => {
      const rows = await stack.query("select from shard group by node_id");
      return rows.length === 2;
    });
    await stack.deploy(servers[0]!.api, { folder: projectFolder });
    writer.write(200);
    await until("all that was written", stallMs, async () => isAllTold(stack, writer));
    const [owner] = await stack.query<{ name: string }>(
      "select node.name from source join shard using (shard) join node on node.id = shard.node_id",
    );
    // A server's name is its process id.
    const killed = servers.find(({ command }) => String(command.pid) === owner?.name)!;
    writer.write(50);
    await killed.command.kill();
    writer.write(50);
    await until("all that was written, by the other one", stallMs, async () => isAllTold(stack, writer));
    const events = await told(stack);
    const names = events.map(({ subject, fingerprint }) => `${subject} ${fingerprint}`);
    expect(new Set(names).size).toBe(names.length);
    const other = servers.find((server) => server !== killed)!;
    expect(await looked(other.api)).toMatchObject({ events: events.length, state: "running" });
  },
);

async function isAllTold(stack: Stack, writer: Writer): Promise<boolean> {
  const state = writer.state();
  const last = Object.fromEntries((await told(stack)).map((one) => [one.subject, one.fingerprint]));
  return writer.files.every((file) => last[file] === state[file]);
}

async function looked(api: Api): Promise<SourceView> {
  const { items } = await api.send<{ readonly items: readonly SourceView[] }>("GET", "/sources");
  return items[0]!;
}
