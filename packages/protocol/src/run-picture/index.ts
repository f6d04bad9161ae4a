/** A run as those who watch it draw it: in a terminal, and in the page. */
export { outlineOf, parentsOf, type OutlineRow } from "./outline.ts";
export { RunPicture, type NodePicture, type StateCounts } from "./run-picture.ts";
