export { filesConnector } from "./connector.ts";
export { type Directory, type Entry, type Look, nodeDirectory, type Watching } from "./directory.ts";
