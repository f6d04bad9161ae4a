/**
 * Brings a database to this version's schema.
 *
 * M1: Each migration is applied in one transaction with its row in `millrace.migration`.
 * M2: Each of these transactions first takes one advisory lock, so that any number of processes may migrate at once.
 * M3: What was applied must be what this version holds under that number (by hash), or newer and not breaking.
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { MillraceError } from "@millrace/core";
import { type ClientBase, Pool } from "pg";

/** One numbered file of SQL. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, in hex. */
  readonly hash: string;
  /** Older processes must stop once this one is applied: its first line is `--! breaking`. */
  readonly breaking: boolean;
}

export interface MigrateOptions {
  /** The time to record, in milliseconds. */
  readonly now: number;
  /** Other migrations than this version's own: for tests. */
  readonly migrations?: readonly Migration[];
}

export interface MigrationStatus {
  /** PostgreSQL's `server_version_num`, for example 180004. */
  readonly serverVersion: number;
  /** Numbers applied, in order. */
  readonly applied: readonly number[];
  /** Of this version, not applied yet. */
  readonly pending: readonly Migration[];
  /** Applied by a newer version. */
  readonly newer: readonly number[];
}

const serverVersionMin = 150_000;
/** "millrace" in hex digits' ASCII, cut to the positive range of a bigint. */
const lockKey = "7883955460112835429";

/** A pool, or a connection that is outside of a transaction. */
export type Migratable = Pool | ClientBase;

/**
 * Applies what is missing; returns the numbers applied by this call.
 * Throws MILLRACE_DATABASE_TOO_OLD, MILLRACE_MIGRATION_EDITED or MILLRACE_SCHEMA_NEWER.
 */
export async function migrate(database: Migratable, options: MigrateOptions): Promise<number[]> {
  const migrations = options.migrations ?? (await readMigrations());
  return withClient(database, async (client) => {
    const applied: number[] = [];
    if ((await statusOf(client, migrations)).pending.length === 0) return applied;
    for (;;) {
      const number = await applyNext(client, migrations, options.now);
      if (number === undefined) return applied;
      applied.push(number);
    }
  });
}

/**
 * Compares a database with this version's migrations and changes nothing.
 * Throws as `migrate` does; pending ones are not an error here.
 */
export async function migrationStatus(
  database: Migratable,
  migrations?: readonly Migration[],
): Promise<MigrationStatus> {
  const own = migrations ?? (await readMigrations());
  return withClient(database, (client) => statusOf(client, own));
}

/** Throws MILLRACE_SCHEMA_MISSING when a migration of this version is not applied, and what `migrationStatus` throws. */
export async function requireSchema(
  database: Migratable,
  migrations?: readonly Migration[],
): Promise<MigrationStatus> {
  const status = await migrationStatus(database, migrations);
  const next = status.pending[0];
  if (next === undefined) return status;
  throw new MillraceError("MILLRACE_SCHEMA_MISSING", {
    message: `The database lacks ${status.pending.length} migrations, from ${next.number} (${next.name}) on.`,
    fields: { applied: status.applied.at(-1) ?? 0, pending: status.pending.map(({ number }) => number) },
  });
}

/** This version's migrations: `sql/` of the package, or beside the bundle in a published one. */
export async function readMigrations(): Promise<readonly Migration[]> {
  for (const place of ["../sql/", "./sql/"]) {
    const folder = new URL(place, import.meta.url);
    const names = await readdir(folder).catch(() => undefined);
    if (names !== undefined) return readFolder(folder, names);
  }
  throw new MillraceError("MILLRACE_INTERNAL", {
    message: `The migrations are missing: there is no folder sql/ at ${new URL("../sql/", import.meta.url).pathname}.`,
  });
}

async function readFolder(folder: URL, names: readonly string[]): Promise<readonly Migration[]> {
  const files = names.filter((name) => name.endsWith(".sql")).sort();
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), "utf8")));
  return files.map((name, index) => parseMigration(name, texts[index] ?? ""));
}

/** Reads a migration from its file's name (`000012_add_lease_epoch.sql`) and text. */
export function parseMigration(fileName: string, text: string): Migration {
  const parts = /^(\d{6})_([a-z0-9_]+)\.sql$/.exec(fileName);
  const [number, name] = [parts?.[1], parts?.[2]];
  if (number === undefined || name === undefined) {
    throw new Error(`a migration's file must be named like 000012_add_lease_epoch.sql, not ${fileName}`);
  }
  return {
    number: Number(number),
    name,
    text,
    hash: createHash("sha256").update(text).digest("hex"),
    breaking: /^--! breaking\s*(\n|$)/.test(text),
  };
}

interface AppliedRow {
  readonly number: number;
  readonly name: string;
  readonly hash: string;
  readonly breaking: boolean;
}

async function statusOf(client: ClientBase, migrations: readonly Migration[]): Promise<MigrationStatus> {
  const serverVersion = await requireServerVersion(client);
  const rows = await readApplied(client);
  return { serverVersion, ...compare(migrations, rows) };
}

function compare(
  migrations: readonly Migration[],
  rows: readonly AppliedRow[],
): Omit<MigrationStatus, "serverVersion"> {
  const own = new Map(migrations.map((migration) => [migration.number, migration]));
  const newer: number[] = [];
  for (const row of rows) {
    const migration = own.get(row.number);
    if (migration === undefined) {
      refuseBreaking(row);
      newer.push(row.number);
    } else if (migration.hash !== row.hash) refuseEdited(migration, row);
  }
  const applied = rows.map(({ number }) => number);
  const pending = migrations.filter(({ number }) => !applied.includes(number));
  return { applied, pending, newer };
}

function refuseBreaking(row: AppliedRow): void {
  if (!row.breaking) return;
  throw new MillraceError("MILLRACE_SCHEMA_NEWER", {
    message: `The database has migration ${row.number} (${row.name}) of a newer Millrace, which this version can't work with.`,
    fields: { number: row.number, name: row.name },
  });
}

function refuseEdited(migration: Migration, row: AppliedRow): never {
  throw new MillraceError("MILLRACE_MIGRATION_EDITED", {
    message:
      `Migration ${row.number} was applied as "${row.name}" with hash ${row.hash.slice(0, 12)}; ` +
      `this version has "${migration.name}" with hash ${migration.hash.slice(0, 12)}.`,
    fields: { number: row.number, applied: row.hash, expected: migration.hash },
  });
}

async function applyNext(
  client: ClientBase,
  migrations: readonly Migration[],
  now: number,
): Promise<number | undefined> {
  await client.query("begin");
  try {
    await client.query("set local statement_timeout = 0");
    await client.query("set local idle_in_transaction_session_timeout = 0");
    await client.query("select pg_advisory_xact_lock($1)", [lockKey]);
    await createRegister(client);
    const next = compare(migrations, await readApplied(client)).pending[0];
    if (next !== undefined) await apply(client, next, now);
    await client.query("commit");
    return next?.number;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

async function createRegister(client: ClientBase): Promise<void> {
  await client.query(`
    create schema if not exists millrace;
    create table if not exists millrace.migration (
      number integer constraint migration_pk primary key,
      name text not null,
      hash text not null,
      breaking boolean not null,
      applied_at timestamptz not null
    );
    set local client_min_messages = warning;
    set local search_path = millrace;
  `);
}

async function apply(client: ClientBase, migration: Migration, now: number): Promise<void> {
  await client.query(migration.text).catch((cause: unknown) => {
    throw new Error(`migration ${migration.number} (${migration.name}) failed: ${describe(cause)}`, {
      cause,
    });
  });
  await client.query(
    `insert into millrace.migration (number, name, hash, breaking, applied_at)
     values ($1, $2, $3, $4, to_timestamp($5::float8 / 1000))`,
    [migration.number, migration.name, migration.hash, migration.breaking, now],
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function requireServerVersion(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ server_version_num: string }>("show server_version_num");
  const version = Number(rows[0]?.server_version_num);
  if (version >= serverVersionMin) return version;
  throw new MillraceError("MILLRACE_DATABASE_TOO_OLD", {
    message: `The database is PostgreSQL ${Math.floor(version / 10_000)}; Millrace needs 15 or later.`,
    fields: { serverVersion: version, required: serverVersionMin },
  });
}

async function readApplied(client: ClientBase): Promise<readonly AppliedRow[]> {
  const found = await client.query<{ found: boolean }>(
    "select to_regclass('millrace.migration') is not null as found",
  );
  if (found.rows[0]?.found !== true) return [];
  const { rows } = await client.query<AppliedRow>(
    "select number, name, hash, breaking from millrace.migration order by number",
  );
  return rows;
}

async function withClient<T>(database: Migratable, work: (client: ClientBase) => Promise<T>): Promise<T> {
  if (!(database instanceof Pool)) return work(database);
  const client = await database.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}
