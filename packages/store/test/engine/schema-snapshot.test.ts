import { readFile, writeFile } from "node:fs/promises";
import { testDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { expect, test } from "vitest";
import { schemaText } from "./schema-text.ts";

const snapshot = new URL("../../schema.snapshot.sql", import.meta.url);

test("the schema is the one of the committed snapshot", async () => {
  await using db = await testDatabase();
  const client = new Client(db.connection);
  await client.connect();
  try {
    const text = await schemaText(client);
    if (process.env["MILLRACE_WRITE_SCHEMA"] !== undefined) await writeFile(snapshot, text);
    expect(text).toBe(await readFile(snapshot, "utf8"));
  } finally {
    await client.end();
  }
});
