/** The schema of a migrated database as text, in a stable order: what `schema.snapshot.sql` holds. */
import type { ClientBase } from "pg";

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly rest: string;
}

/** Partitions are left out: which there are depends on the day. */
const ownTables = `c.relnamespace = 'millrace'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`;

export async function schemaText(client: ClientBase): Promise<string> {
  const rows = async <Row extends object>(text: string): Promise<Row[]> =>
    (await client.query<Row>(text)).rows;
  const tables = await rows<{ name: string; parts: string | null; options: string | null }>(
    `select c.relname as name, pg_get_partkeydef(c.oid) as parts, array_to_string(c.reloptions, ', ') as options
      from pg_class as c where ${ownTables} order by c.relname`,
  );
  const columns = await rows<Column>(
    `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
        concat_ws(' ',
          case when a.attcollation <> t.typcollation then 'collate ' || quote_ident(l.collname) end,
          case when a.attidentity <> '' then 'generated as identity' end,
          case when a.attnotnull then 'not null' end,
          'default ' || pg_get_expr(d.adbin, d.adrelid)
        ) as rest
      from pg_class as c
      join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type as t on t.oid = a.atttypid
      left join pg_collation as l on l.oid = a.attcollation
      left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
      where ${ownTables} order by c.relname, a.attnum`,
  );
  const constraints = await rows<{ table: string; text: string }>(
    // Since version 18 a column's "not null" is a constraint, too; the column says it already.
    `select c.relname as table, 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid) as text
      from pg_class as c join pg_constraint as k on k.conrelid = c.oid
      where ${ownTables} and k.contype <> 'n' order by c.relname, k.conname`,
  );
  const indexes = await rows<{ table: string; text: string }>(
    `select c.relname as table, pg_get_indexdef(i.indexrelid) as text
      from pg_class as c join pg_index as i on i.indrelid = c.oid
      where ${ownTables} and not exists (select from pg_constraint as k where k.conindid = i.indexrelid)
      order by c.relname, pg_get_indexdef(i.indexrelid)`,
  );
  const triggers = await rows<{ table: string; text: string }>(
    `select c.relname as table, pg_get_triggerdef(t.oid) as text
      from pg_class as c join pg_trigger as t on t.tgrelid = c.oid
      where ${ownTables} and not t.tgisinternal order by c.relname, t.tgname`,
  );
  const domains = await rows<{ text: string }>(
    `select 'domain ' || t.typname || ' ' || pg_get_constraintdef(k.oid) as text
      from pg_type as t join pg_constraint as k on k.contypid = t.oid
      where t.typnamespace = 'millrace'::regnamespace order by 1`,
  );
  const functions = await rows<{ text: string }>(
    `select 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') returns '
        || pg_get_function_result(p.oid) || ' body ' || md5(p.prosrc) as text
      from pg_proc as p where p.pronamespace = 'millrace'::regnamespace order by 1`,
  );
  const of = <Row extends { readonly table: string }>(all: readonly Row[], name: string): Row[] =>
    all.filter((row) => row.table === name);
  const parts = tables.map(({ name, parts, options }) =>
    [
      `table ${name}${parts === null ? "" : ` partition by ${parts}`}${options ? ` with (${options})` : ""}`,
      ...of(columns, name).map(({ column, type, rest }) => `  ${`${column} ${type} ${rest}`.trimEnd()}`),
      ...of(constraints, name).map(({ text }) => `  ${text}`),
      ...of(indexes, name).map(({ text }) => `  ${text}`),
      ...of(triggers, name).map(({ text }) => `  ${text}`),
    ].join("\n"),
  );
  const header =
    "-- Written by `MILLRACE_WRITE_SCHEMA=1 npx vitest run packages/store/test/engine/schema-snapshot.test.ts`.";
  return `${[header, ...parts, [...domains, ...functions].map(({ text }) => text).join("\n")].join("\n\n")}\n`;
}
