import { randomBytes } from "node:crypto";
import { connect, type Database, type EmbeddedConnection } from "@millrace/store";
import { awaitTestServer, query, templateDatabase, testRunVariable } from "./test-server.ts";

/** A fresh, migrated database of one test. */
export interface TestDatabase {
  readonly connection: EmbeddedConnection;
  readonly database: Database;
  /** A second set of connections to it, as another process would have. */
  connectAgain(applicationName: string): Database;
  /** Closes all connections and drops the database. May be called twice. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a database from the run's migrated template. Use it as `await using db = await testDatabase()`. */
export async function testDatabase(): Promise<TestDatabase> {
  return makeDatabase(await serverOfThisRun(), templateDatabase);
}

/** A database without any schema: for tests of migrations. */
export async function emptyTestDatabase(): Promise<TestDatabase> {
  return makeDatabase(await serverOfThisRun(), "template0");
}

async function makeDatabase(server: EmbeddedConnection, template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await query(server, `create database ${name} template ${template}`);
  return openDatabase({ ...server, database: name }, () =>
    query(server, `drop database if exists ${name} with (force)`),
  );
}

/** `end` follows the closing of all connections that were made by it. */
export function openDatabase(connection: EmbeddedConnection, end: () => Promise<void>): TestDatabase {
  const connections: Database[] = [];
  const connectAgain = (applicationName: string): Database => {
    const database = connect(connection, { applicationName });
    connections.push(database);
    return database;
  };
  const drop = async (): Promise<void> => {
    await Promise.all(connections.map((database) => database.close()));
    await end();
  };
  return {
    connection,
    database: connectAgain("test"),
    connectAgain,
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

async function serverOfThisRun(): Promise<EmbeddedConnection> {
  const folder = process.env[testRunVariable];
  if (folder === undefined) {
    throw new Error(
      `${testRunVariable} is not set: testDatabase() needs the testkit's global set-up of Vitest`,
    );
  }
  return awaitTestServer(folder);
}
