/** A place in the project's files: opened in the reader's editor where `millrace dev` follows them, else only named. */
import type { ReactNode } from "react";
import type { ProjectPlace, ProjectView } from "@millrace/protocol";
import { useProject } from "../api/project.ts";

interface EditorLinkProps {
  readonly place: ProjectPlace;
  /** What is shown; the place when absent. */
  readonly children?: ReactNode;
}

export function EditorLink({ place, children }: EditorLinkProps) {
  const project = useProject();
  const shown = children ?? <code>{placeText(place)}</code>;
  if (!project) return <span title={placeText(place)}>{shown}</span>;
  return (
    <a href={editorAddress(project, place)} title={`Open ${placeText(place)} in your editor`}>
      {shown}
    </a>
  );
}

function placeText({ file, line }: ProjectPlace): string {
  return line < 1 ? file : `${file}:${line}`;
}

/** Each value of `{path}`, `{line}` and `{column}` is of the server's making; the path may hold what an address may not. */
function editorAddress({ editor, folder }: ProjectView, { file, line, column = 1 }: ProjectPlace): string {
  const path = encodeURI(`${folder}/${file}`).replaceAll("?", "%3F").replaceAll("#", "%23");
  const values: { readonly [name: string]: string } = {
    path,
    line: String(Math.max(1, line)),
    column: String(Math.max(1, column)),
  };
  return editor.replaceAll(/\{(path|line|column)\}/g, (_, name: string) => values[name] ?? "");
}
