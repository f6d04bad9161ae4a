/** The pipeline's source as it was loaded: the project's own files out of the bundle, with lines that addresses can name. */
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { one } from "../../api/queries.ts";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { highlighted } from "./highlight.ts";
import "../../styles/source.css";

const route = getRouteApi("/pipelines/$pipeline");
const lineHeight = 18;

export function SourceTab({ pipeline }: { readonly pipeline: string }) {
  const { file, line, deployment } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery({
    ...one("definition", `/pipelines/${encodeURIComponent(pipeline)}/source`, {
      file,
      deployment,
    }),
    retry: false,
    placeholderData: (before) => before,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Reading the source…</p>;
  return (
    <div className="source">
      <div className="filters">
        <select
          className="field mono"
          aria-label="file"
          value={data.file}
          onChange={({ target }) =>
            void navigate({ search: ({ line: _line, ...rest }) => ({ ...rest, file: target.value }) })
          }
        >
          {data.files.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <span className="quiet">
          as loaded by deployment {data.deployment}, <Clock at={data.createdAt} />
        </span>
        {deployment !== undefined && (
          <Link
            to="/pipelines/$pipeline"
            params={{ pipeline }}
            search={({ deployment: _deployment, ...rest }) => rest}
          >
            the newest
          </Link>
        )}
        {data.isCut && <span className="warn-text">only its beginning is shown</span>}
      </div>
      <Lines text={data.text} key={`${data.file} ${data.deployment}`} chosen={Number(line ?? 0)} />
    </div>
  );
}

function Lines({ text, chosen }: { readonly text: string; readonly chosen: number }) {
  const box = useRef<HTMLDivElement>(null);
  const navigate = route.useNavigate();
  const lines = useMemo(() => highlighted(text), [text]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 30,
  });
  useEffect(() => {
    if (chosen > 0 && chosen <= lines.length) virtual.scrollToIndex(chosen - 1, { align: "center" });
  }, [chosen, lines.length, virtual]);
  return (
    <div className="lines" ref={box} tabIndex={0} role="region" aria-label="Source">
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => (
          <div
            key={index}
            className={index + 1 === chosen ? "line chosen" : "line"}
            style={{ transform: `translateY(${start}px)` }}
          >
            <button
              type="button"
              className="number"
              tabIndex={-1}
              title="The address of this line"
              onClick={() =>
                void navigate({ search: (before) => ({ ...before, line: String(index + 1) }), replace: true })
              }
            >
              {index + 1}
            </button>
            <code>
              {lines[index]!.map(({ kind, text: part }, at) => (
                <span key={at} className={kind === "plain" ? undefined : kind}>
                  {part}
                </span>
              ))}
            </code>
          </div>
        ))}
      </div>
    </div>
  );
}
