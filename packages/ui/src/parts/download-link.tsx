/** A link to what the server sends as a file. Where it asks for a token, which a link can't bring along, the page fetches it. */
import { useState, type ReactNode } from "react";
import { apiPath, getBlob, type Query } from "../api/client.ts";
import { token } from "../api/session.ts";
import { saveFile } from "./download.tsx";

interface DownloadLinkProps {
  readonly path: string;
  readonly query?: Query;
  readonly name: string;
  readonly children: ReactNode;
}

export function DownloadLink({ path, query, name, children }: DownloadLinkProps) {
  const [fault, setFault] = useState<string>();
  return (
    <>
      <a
        href={apiPath(path, query)}
        download={name}
        onClick={(event) => {
          if (token() === undefined) return;
          event.preventDefault();
          setFault(undefined);
          getBlob(path, query).then(
            (content) => saveFile(name, content),
            (error: unknown) => setFault((error as Error).message),
          );
        }}
      >
        {children}
      </a>
      {fault !== undefined && <span className="bad-text"> {fault}</span>}
    </>
  );
}
