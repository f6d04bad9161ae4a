/** How the page opens a file in the reader's editor: by an address that the editor answers to. */
import { MillraceError } from "@millrace/core";

const known: { readonly [name: string]: string } = {
  vscode: "vscode://file{path}:{line}:{column}",
  "vscode-insiders": "vscode-insiders://file{path}:{line}:{column}",
  cursor: "cursor://file{path}:{line}:{column}",
  windsurf: "windsurf://file{path}:{line}:{column}",
  zed: "zed://file{path}:{line}:{column}",
  idea: "idea://open?file={path}&line={line}&column={column}",
  webstorm: "webstorm://open?file={path}&line={line}&column={column}",
};

/** What `MILLRACE_EDITOR` names, or VS Code's. Throws MILLRACE_REQUEST_INVALID. */
export function editorAddress(given: string | undefined): string {
  if (given === undefined) return known["vscode"]!;
  const address = Object.hasOwn(known, given) ? known[given] : undefined;
  if (address !== undefined) return address;
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\/\S*\{path\}\S*$/.test(given);
  // A script or a page of somebody's is no editor.
  if (isAddress && !/^(?:javascript|data|https?|file):/.test(given)) return given;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `MILLRACE_EDITOR is ${JSON.stringify(given)}, which names no editor.`,
    advice: `Name one of ${Object.keys(known).join(", ")}, or an address such as "my-editor://open?file={path}&line={line}".`,
  });
}
