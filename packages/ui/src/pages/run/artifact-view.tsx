/** One artifact, as far as the page can show it: texts, JSON, tables and images; html in a frame that can do nothing. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Json } from "@millrace/core";
import type { ArtifactView } from "@millrace/protocol";
import { getBlob } from "../../api/client.ts";
import { DownloadLink } from "../../parts/download-link.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { bytesText } from "../../parts/number-text.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Trouble } from "../../parts/trouble.tsx";

/** Larger ones are for other programs. */
const shownBytesMax = 5_000_000;
const textMax = 200_000;
const columnsMax = 30;
/** In an `<img>` no script of an SVG runs. */
const imageTypes = /^image\/(?:png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;

export function blobPath({ blob }: ArtifactView): string {
  return `/blobs/${blob}`;
}

export function ArtifactPreview({ artifact }: { readonly artifact: ArtifactView }) {
  const { blob, bytes, name } = artifact;
  const isShown = bytes <= shownBytesMax && kindOf(artifact) !== undefined;
  const { data, error } = useQuery({
    queryKey: ["blob", blob],
    queryFn: ({ signal }) => getBlob(blobPath(artifact), {}, signal),
    enabled: isShown,
    // What a hash names never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!isShown)
    return (
      <p className="empty">
        {kindOf(artifact) === undefined
          ? `What is ${artifact.mediaType} can't be shown here.`
          : `With ${bytesText(bytes)} it is too large to be shown here.`}{" "}
        <DownloadLink path={blobPath(artifact)} name={name}>
          Download it
        </DownloadLink>
      </p>
    );
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Reading it…</p>;
  return <Content artifact={artifact} content={data} key={blob} />;
}

type Kind = "html" | "image" | "json" | "table" | "text";

function kindOf({ type, mediaType }: ArtifactView): Kind | undefined {
  const [media = ""] = mediaType.toLowerCase().split(";");
  if (type === "table") return "table";
  if (type === "html" || media === "text/html") return "html";
  if (imageTypes.test(media)) return "image";
  if (media === "application/json" || media.endsWith("+json")) return "json";
  if (media.startsWith("text/") || type === "markdown") return "text";
  return undefined;
}

function Content({ artifact, content }: { readonly artifact: ArtifactView; readonly content: Blob }) {
  const kind = kindOf(artifact);
  if (kind === "image") return <Image artifact={artifact} content={content} />;
  return <Read content={content}>{(text) => <Text kind={kind} text={text} name={artifact.name} />}</Read>;
}

function Read({
  content,
  children,
}: {
  readonly content: Blob;
  readonly children: (text: string) => ReactNode;
}) {
  const [text, setText] = useState<string>();
  useEffect(() => {
    void content.text().then(setText);
  }, [content]);
  return text === undefined ? null : children(text);
}

interface TextProps {
  readonly kind: Kind | undefined;
  readonly text: string;
  readonly name: string;
}

function Text({ kind, text, name }: TextProps) {
  if (kind === "html") return <Html html={text} name={name} />;
  const value = kind === "json" || kind === "table" ? parsed(text) : undefined;
  if (kind === "table" && Array.isArray(value)) return <Rows rows={value as readonly Json[]} name={name} />;
  if (value !== undefined) return <JsonTree value={value} />;
  return (
    <>
      {text.length > textMax && <p className="quiet">The first {textMax} characters:</p>}
      <pre className="artifact-text">{text.slice(0, textMax)}</pre>
    </>
  );
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function Image({ artifact, content }: { readonly artifact: ArtifactView; readonly content: Blob }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const reader = new FileReader();
    reader.addEventListener("load", () => setAddress(reader.result as string));
    reader.readAsDataURL(new Blob([content], { type: artifact.mediaType }));
    return () => reader.abort();
  }, [artifact.mediaType, content]);
  return address === undefined ? null : <img className="artifact-image" src={address} alt={artifact.name} />;
}

function Rows({ rows, name }: { readonly rows: readonly Json[]; readonly name: string }) {
  const names = [...new Set(rows.slice(0, 1_000).flatMap((row) => Object.keys(row ?? {})))];
  const columns: Column<{ readonly row: Json; readonly at: number }>[] = names
    .slice(0, columnsMax)
    .map((column) => ({
      name: column,
      width: "minmax(80px, 1fr)",
      ...(isNumeric(rows, column) ? { isNumber: true as const } : {}),
      cell: ({ row }) => cellText(valueIn(row, column)),
    }));
  return (
    <div className="artifact-table">
      <Table
        label={name}
        rows={rows.map((row, at) => ({ row, at }))}
        columns={columns}
        keyOf={({ at }) => String(at)}
        empty={<p>It has no rows.</p>}
      />
      {names.length > columnsMax && (
        <p className="quiet">{names.length - columnsMax} more columns are in the file.</p>
      )}
    </div>
  );
}

function valueIn(row: Json, column: string): Json | undefined {
  return row !== null && typeof row === "object" && Object.hasOwn(row, column)
    ? (row as { readonly [name: string]: Json })[column]
    : undefined;
}

function isNumeric(rows: readonly Json[], column: string): boolean {
  return rows.slice(0, 100).every((row) => ["number", "undefined"].includes(typeof valueIn(row, column)));
}

function cellText(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const readyText = "artifact-frame is ready";

/** The frame has no origin, and a policy of its own: what stands in it runs nothing and reaches nothing. */
function Html({ html, name }: { readonly html: string; readonly name: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const listen = ({ source, data }: MessageEvent): void => {
      const target = frame.current?.contentWindow;
      if (target && source === target && data === readyText) target.postMessage(html, "*");
    };
    addEventListener("message", listen);
    return () => removeEventListener("message", listen);
  }, [html]);
  return (
    <>
      <p className="quiet">Its scripts don't run here, and nothing is loaded from elsewhere.</p>
      <iframe
        ref={frame}
        className="artifact-frame"
        title={name}
        sandbox="allow-scripts"
        referrerPolicy="no-referrer"
        src="/artifact-frame.html"
      />
    </>
  );
}
