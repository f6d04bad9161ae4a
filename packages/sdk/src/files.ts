/** File sources: folders of the server's machine whose new and changed files become events. */
import {
  fileArrivedType,
  fileGoneType,
  fileMarker,
  fileProtocols,
  fileQuietMs,
  fileRescanMs,
  parseDuration,
  parseSource,
  sourceUri,
  type Duration,
  type FileProtocol,
  type FileSource,
  type SourceDefinition,
} from "@millrace/core";
import type { EventType } from "./condition/event-type.ts";
import { definitionBrand, type DescribeOptions } from "./definition.ts";
import { judged } from "./judged.ts";
import { checkName } from "./name.ts";
import {
  checkOptionNames,
  choiceOption,
  optionError,
  parsePositiveDuration,
  textListOption,
  textOption,
  type OptionOwner,
} from "./options.ts";
import { locate, markCaller, type SourceMark } from "./source.ts";

/** What a `files` source tells of a new file, or of a new version of one. */
export interface FileArrived {
  /** The whole path, on the server's machine. */
  readonly path: string;
  /** The path below the source's folder, with `/`. It is the event's subject, too. */
  readonly relative: string;
  /** The last part of the path. */
  readonly name: string;
  /** The whole path of the folder that it is in. */
  readonly folder: string;
  /** In bytes. */
  readonly size: number;
  /** When it was changed last, in RFC 3339. It is the event's time, too. */
  readonly mtime: string;
  /** 1 for a new file, and one more each time that it had changed. */
  readonly version: number;
  /** Of size and time: equal texts are the same version. */
  readonly fingerprint: string;
}

/** What a `files` source tells of a file that is not there any more. */
export type FileGone = Pick<FileArrived, "path" | "relative" | "name" | "folder" | "version" | "fingerprint">;

export interface FilesOptions<Type extends string = string, GoneType extends string = string> {
  /**
   * The folder, on the server's machine. A relative path is below the project's folder in `millrace dev`, and below the
   * folder that `millrace server` was started in elsewhere.
   */
  readonly folder: string;
  /** Which files, by their path below the folder: `*` and `?` stop at `/`, `**` does not. All unless given. */
  readonly glob?: string;
  /** Globs of files and folders that are left out. */
  readonly ignore?: string | readonly string[];
  /**
   * How a writer shows that a file is complete: `settle` (unless given): it did not change for a while; `rename`: it has
   * its name only when it is complete; `marker`: another file says so.
   */
  readonly protocol?: FileProtocol;
  /** Of `settle`: how long size and time must stay as they are; 2 s unless given. */
  readonly settle?: { readonly quiet?: Duration };
  /**
   * Of `marker`: the marker's name, in the file's folder. `*` stands for the file's name, with or without what follows its
   * last dot; a name without `*`, such as `_SUCCESS`, speaks for all files of its folder. `*.done` unless given.
   */
  readonly marker?: string;
  /** The type of its events; `file.arrived` unless given. */
  readonly type?: Type;
  /** Whether files that are gone are told, too: as `file.gone`, or under this type. */
  readonly gone?: boolean | GoneType;
  /** How often the whole folder is looked through, whatever the system tells of changes; 1 min unless given. */
  readonly rescan?: Duration;
}

/** A file source. Exported from an included file it is deployed, and a server reads the folder. */
export interface Files<Type extends string = string, GoneType extends string = string> {
  readonly name: string;
  /** For `on.event`: a new file of this source, or a new version of one. */
  readonly arrived: EventType<FileArrived, Type>;
  /** For `on.event`: a file of this source is gone. Only where the option `gone` is set. */
  readonly gone: EventType<FileGone, GoneType>;
}

/** What the loader reads from a source, under `definitionBrand`. */
export interface SourceHandle {
  readonly kind: "source";
  readonly name: string;
  readonly mark: SourceMark;
  describe(options: DescribeOptions): SourceDefinition;
}

const optionNames = ["folder", "glob", "ignore", "protocol", "settle", "marker", "type", "gone", "rescan"];

/**
 * Declares a folder whose new and changed files become events. Each version of a file is told once, also if it came while
 * no server was up.
 *
 * @example
 * export const landing = files("landing", { folder: "data/in", glob: "*.csv" });
 * export const load = pipeline("load", { on: on.event(landing.arrived) }, ({ firing }) => { … });
 */
export function files<
  const Type extends string = typeof fileArrivedType,
  const GoneType extends string = typeof fileGoneType,
>(name: string, options: FilesOptions<Type, GoneType>): Files<Type, GoneType> {
  const mark = markCaller(files);
  const what = `Source ${JSON.stringify(name)}`;
  checkName(name, { what, mark, root: undefined });
  checkOptionNames(options, optionNames, { what, mark, root: undefined });
  const handle: SourceHandle = {
    kind: "source",
    name,
    mark,
    describe: ({ captureSource, root }) => {
      const owner: OptionOwner = { what, mark, root };
      const source = captureSource ? locate(mark, root) : undefined;
      return judged(
        parseSource,
        { ...definitionOf(name, options, owner), ...(source ? { source } : {}) },
        owner,
      );
    },
  };
  const source = sourceUri(name);
  const { type = fileArrivedType, gone } = options;
  const made = {
    name,
    arrived: Object.freeze({ type: type as Type, source }),
    gone: Object.freeze({ type: (typeof gone === "string" ? gone : fileGoneType) as GoneType, source }),
    [definitionBrand]: handle,
  };
  return made;
}

function definitionOf(name: string, options: FilesOptions, owner: OptionOwner): FileSource {
  const { glob = "**", ignore = [], settle, marker, type = fileArrivedType, gone = false, rescan } = options;
  const protocol =
    options.protocol === undefined
      ? "settle"
      : choiceOption(options.protocol, "protocol", owner, fileProtocols);
  if (settle !== undefined && protocol !== "settle")
    throw optionError(owner, `option "settle" belongs to the protocol "settle", and this is "${protocol}"`);
  if (marker !== undefined && protocol !== "marker")
    throw optionError(owner, `option "marker" belongs to the protocol "marker", and this is "${protocol}"`);
  if (typeof gone !== "boolean" && typeof gone !== "string")
    throw optionError(owner, 'option "gone" must be true, false or an event type');
  return {
    kind: "files",
    name,
    folder: textOption(options.folder, "folder", owner),
    glob: textOption(glob, "glob", owner),
    ignore: typeof ignore === "string" ? [ignore] : textListOption(ignore, "ignore", owner),
    protocol,
    ...(protocol === "settle" ? { quietMs: quietMsOf(settle, owner) } : {}),
    ...(protocol === "marker" ? { marker: textOption(marker ?? fileMarker, "marker", owner) } : {}),
    type: textOption(type, "type", owner),
    ...(gone === false ? {} : { goneType: gone === true ? fileGoneType : gone }),
    rescanMs: rescan === undefined ? fileRescanMs : parsePositiveDuration(rescan, "rescan", owner),
  };
}

function quietMsOf(settle: FilesOptions["settle"], owner: OptionOwner): number {
  if (settle === undefined) return fileQuietMs;
  checkOptionNames(settle, ["quiet"], owner, "settle");
  if (settle.quiet === undefined) return fileQuietMs;
  const quietMs = parseDuration(settle.quiet);
  if (quietMs !== undefined) return quietMs;
  throw optionError(owner, 'option "settle.quiet" must be a duration such as "500ms", "2s" or "1m"');
}
