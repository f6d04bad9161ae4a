/** Folders as a source: what a server is given. */
import { posix } from "node:path";
import type { SourceConnector } from "@millrace/core";
import { nodeDirectory, type Directory } from "./directory.ts";
import { FolderReader } from "./reader.ts";

/** `directory`: the file system; the machine's own unless given. */
export function filesConnector(directory: Directory = nodeDirectory): SourceConnector {
  return {
    kind: "files",
    placeOf: ({ folder }) => posix.normalize(folder).replace(/(?<=.)\/$/, ""),
    read: (task) => new FolderReader(task, directory).run(),
  };
}
