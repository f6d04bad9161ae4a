/**
 * An array of records in PostgreSQL's text form, for a parameter of an array of a composite type
 * (https://www.postgresql.org/docs/18/rowtypes.html, "Composite Type Input and Output Syntax"; arrays: 8.15.6).
 * The driver quotes arrays of plain values only.
 */
export type RecordField = string | number | boolean | undefined;

/** Nothing for no rows. Fields stand in the order of the type's columns; undefined is null. */
export function recordArray<Row>(
  rows: readonly Row[],
  fieldsOf: (row: Row) => readonly RecordField[],
): string | null {
  if (rows.length === 0) return null;
  let text = "{";
  for (const row of rows) text += `${text === "{" ? "" : ","}${recordText(fieldsOf(row))}`;
  return `${text}}`;
}

function recordText(fields: readonly RecordField[]): string {
  let text = '"(';
  for (let at = 0; at < fields.length; at += 1) {
    const field = fields[at];
    if (at > 0) text += ",";
    if (typeof field === "string") text += quoted(field);
    else if (field !== undefined) text += field;
  }
  return `${text})"`;
}

const needsEscape = /["\\]/;

/** Quoted as a record's field within an array's element: each of both doubles the escapes of the other. */
function quoted(text: string): string {
  const safe = needsEscape.test(text)
    ? text.replaceAll("\\", "\\\\\\\\").replaceAll('"', String.raw`\\\"`)
    : text;
  return `\\"${safe}\\"`;
}
