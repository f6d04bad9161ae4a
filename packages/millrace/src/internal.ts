/** What generated entry files and our own processes import; not for authors, and free to change. */
export {
  loadProject,
  type LoadedProject,
  type LoadOptions,
  type ParamsIssue,
  type ParamsResult,
} from "@millrace/sdk/internal";
