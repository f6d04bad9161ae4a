/** Where something is declared: `orders.ts:12` leads to that line of the source as it was loaded. */
import { Link } from "@tanstack/react-router";
import type { SourceLocation } from "@millrace/core";

interface SourceLinkProps {
  /** The pipeline whose source it is. */
  readonly pipeline: string;
  readonly source: SourceLocation;
  /** Without its folders; they are told at a hover. */
  readonly isShort?: boolean;
}

export function SourceLink({ pipeline, source: { file, line }, isShort = false }: SourceLinkProps) {
  return (
    <Link
      to="/pipelines/$pipeline"
      params={{ pipeline }}
      search={{ tab: "source", file, line: String(line) }}
      className="mono"
      title={`${file}:${line}`}
    >
      {`${isShort ? file.split("/").at(-1) : file}:${line}`}
    </Link>
  );
}
