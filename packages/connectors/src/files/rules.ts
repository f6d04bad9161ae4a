/** Which files of a folder a source tells of. Keys are paths below the folder, with `/`. */
import type { FileSource } from "@millrace/core";
import picomatch from "picomatch";

/** Of a key in UTF-8: an index holds some 2,600. */
const keyBytesMax = 2_000;

/** Without lists that repeat, a name is matched in bounded time; names may hold line breaks. */
const options = { noextglob: true, nonegate: true, flags: "s" } as const;

export class FileRules {
  readonly #marker: string | undefined;
  readonly #hasDots: boolean;
  /** How deep folders may be nested so that the glob can match below. */
  readonly #depthMax: number;
  readonly #matches: (key: string) => boolean;
  readonly #ignores: (key: string) => boolean;

  constructor({ glob, ignore, marker }: Pick<FileSource, "glob" | "ignore" | "marker">) {
    this.#marker = marker;
    this.#hasDots = /(?:^|[/{,])\./.test(glob);
    this.#depthMax = glob.includes("**") ? Number.POSITIVE_INFINITY : glob.split("/").length - 1;
    this.#matches = picomatch(glob, { ...options, dot: this.#hasDots });
    const ignores = ignore.map((one) => picomatch(one, { ...options, dot: true }));
    this.#ignores = (key) => ignores.some((matches) => matches(key));
  }

  wants(key: string): boolean {
    return this.#matches(key) && !this.#ignores(key) && !this.isMarker(key);
  }

  /** Whether a folder may hold files that are wanted. */
  enters(key: string): boolean {
    if (key.split("/").length > this.#depthMax || this.#ignores(key)) return false;
    return this.#hasDots || !nameOf(key).startsWith(".");
  }

  isMarker(key: string): boolean {
    return this.#marker !== undefined && this.#stemOfMarker(key) !== undefined;
  }

  /** Where the marker of a file may be. */
  markersOf(key: string): readonly string[] {
    if (this.#marker === undefined) return [];
    const name = nameOf(key);
    const stem = name.replace(/(?<=.)\.[^.]*$/, "");
    const markers = [...new Set([name, stem])].map((one) => this.#marker!.replace("*", () => one));
    return [...new Set(markers)].map((marker) => inFolderOf(key, marker));
  }

  /** The file that a marker names with all of its name; nothing where only the folder can tell. */
  fileOf(marker: string): string | undefined {
    const stem = this.#stemOfMarker(marker);
    return stem === undefined || stem === "" ? undefined : inFolderOf(marker, stem);
  }

  /** What stands for `*` in a marker's name; the empty text where it has none. */
  #stemOfMarker(key: string): string | undefined {
    const name = nameOf(key);
    const [before = "", after] = this.#marker?.split("*") ?? [];
    if (after === undefined) return name === before ? "" : undefined;
    const isOne =
      name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length;
    return isOne ? name.slice(before.length, name.length - after.length) : undefined;
  }
}

/** Whether it can be kept. */
export function isTellable(key: string): boolean {
  return Buffer.byteLength(key) <= keyBytesMax;
}

export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

export function folderOf(key: string): string {
  const at = key.lastIndexOf("/");
  return at < 0 ? "" : key.slice(0, at);
}

export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function inFolderOf(key: string, name: string): string {
  return below(folderOf(key), name);
}
