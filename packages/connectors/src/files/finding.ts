/** What a source tells of a file, and what it remembers of it. */
import { dirname, join } from "node:path";
import type { FileSource, Finding, Json, Remembered } from "@millrace/core";
import type { Look } from "./directory.ts";
import { nameOf } from "./rules.ts";

/** Characters of an event's subject. */
const subjectMax = 512;
/** The last millisecond of the year 9999: what lies beyond is no time that texts can tell. */
const timeMax = 253_402_300_799_999;

/** Of size and time, to the nanosecond. No more: a file that moves to another disk is the same. */
export function fingerprintOf({ size, mtimeNs }: Pick<Look, "size" | "mtimeNs">): string {
  return `${size}-${mtimeNs}`;
}

interface FoundFile {
  readonly key: string;
  readonly look: Look;
  readonly known: Remembered | undefined;
}

export function fileFinding(
  { type }: Pick<FileSource, "type">,
  folder: string,
  { key, look, known }: FoundFile,
): Finding {
  const remember = { fingerprint: fingerprintOf(look), version: (known?.version ?? 0) + 1 };
  const ms = Number(look.mtimeNs / 1_000_000n);
  const time = Math.min(Math.max(0, ms), timeMax);
  const data = { ...placeOf(folder, key), size: look.size, mtime: new Date(time).toISOString(), ...remember };
  return { key, remember, event: { type, ...subjectOf(key), time, data } };
}

export function goneFinding(
  { goneType }: Pick<FileSource, "goneType">,
  folder: string,
  { key, known }: { readonly key: string; readonly known: Remembered },
): Finding {
  if (goneType === undefined) return { key };
  const { fingerprint, version } = known;
  const data = { ...placeOf(folder, key), fingerprint, version };
  return { key, event: { type: goneType, ...subjectOf(key), data } };
}

function placeOf(folder: string, key: string): { [name: string]: Json } {
  const path = join(folder, key);
  return { path, relative: key, name: nameOf(key), folder: dirname(path) };
}

/** CloudEvents allow no control characters in a subject: a name with a line break stands in the data alone. */
function subjectOf(key: string): { readonly subject?: string } {
  return key.length > subjectMax || /\p{Cc}/u.test(key) ? {} : { subject: key };
}
