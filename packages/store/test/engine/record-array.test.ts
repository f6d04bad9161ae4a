import { testDatabase } from "@millrace/testkit";
import { array, assert, asyncProperty, boolean, double, option, record, string } from "fast-check";
import { Client } from "pg";
import { expect, test } from "vitest";
import { recordArray } from "../../src/engine/record-array.ts";

/** What PostgreSQL's own syntax is made of comes often. */
const text = string({ unit: "grapheme" }).chain((plain) =>
  string({ unit: "binary-ascii" }).map((odd) => `${plain}${odd}"\\,(){}' \n`.replaceAll("\0", "")),
);
const row = record({
  text: option(text, { nil: undefined }),
  plain: option(string({ unit: "grapheme" }), { nil: undefined }),
  number: option(double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
  flag: option(boolean(), { nil: undefined }),
});

test("PostgreSQL reads an array of records as it was written", async () => {
  const db = await testDatabase();
  const client = new Client(db.connection);
  await client.connect();
  try {
    await client.query("create type odd as (text text, plain text, number double precision, flag boolean)");
    const read = async (rows: readonly unknown[], written: string | null) => {
      const answer = await client.query<object>("select * from unnest($1::odd[])", [written]);
      const found = answer.rows.map((one) =>
        Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value ?? undefined])),
      );
      expect(found).toEqual(rows);
    };
    await read(
      [{ text: "", plain: "null", number: -0.5, flag: false }],
      recordArray([0], () => ["", "null", -0.5, false]),
    );
    await assert(
      asyncProperty(array(row, { minLength: 1, maxLength: 5 }), async (made) => {
        const rows = made.map((one) => ({
          ...one,
          plain: one.plain?.replaceAll("\0", ""),
          number: one.number === undefined || Object.is(one.number, -0) ? 0 : one.number,
        }));
        await read(
          rows,
          recordArray(rows, (one) => [one.text, one.plain, one.number, one.flag]),
        );
      }),
    );
    expect(recordArray([], () => [])).toBeNull();
  } finally {
    await client.end();
    await db.drop();
  }
});
