/** Versions of a pipeline: what each deployment changed of it, part by part, and in the text of its files. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Json } from "@millrace/core";
import type { PipelineChanges, PipelineVersionView, SourceFileChange, ValueChange } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { diffLines, folded } from "./line-diff.ts";
import "../../styles/source.css";

const route = getRouteApi("/pipelines/$pipeline");
const hashShown = 10;
const linesShown = 400;

export function VersionsTab({ pipeline }: { readonly pipeline: string }) {
  const { from, to } = route.useSearch();
  const path = `/pipelines/${encodeURIComponent(pipeline)}` as const;
  const versions = useQuery(one("definition", `${path}/versions`));
  const changes = useQuery({
    ...one("definition", `${path}/changes`, { from, to }),
    retry: false,
    placeholderData: (before) => before,
  });
  return (
    <div className="split open">
      <div className="parts scrolls padded">
        {changes.error && <Trouble error={changes.error} />}
        {changes.data && <Changes changes={changes.data} pipeline={pipeline} />}
        {!changes.data && !changes.error && <p className="quiet">Comparing…</p>}
      </div>
      <aside aria-label="Versions">
        <h3>Versions, newest first</h3>
        <ul className="versions">
          {versions.data?.items.map((version, at) => (
            <Version
              key={version.deployment}
              version={version}
              before={versions.data.items[at + 1]}
              isChosen={changes.data?.to.deployment === version.deployment}
            />
          ))}
        </ul>
        {versions.data?.nextCursor !== undefined && <p className="quiet">… and older ones</p>}
      </aside>
    </div>
  );
}

interface VersionProps {
  readonly version: PipelineVersionView;
  readonly before: PipelineVersionView | undefined;
  readonly isChosen: boolean;
}

function Version({ version, before, isChosen }: VersionProps) {
  const { deployment, createdAt, bundle, active, changed, nodes } = version;
  const what =
    before === undefined
      ? "the first that is kept"
      : changed
        ? "changed"
        : bundle === before.bundle
          ? "as before"
          : "code alone";
  return (
    <li className={isChosen ? "chosen" : undefined}>
      <Link
        from={route.id}
        to="."
        search={({ from: _from, ...rest }) => ({ ...rest, to: String(deployment) })}
        aria-current={isChosen ? "true" : undefined}
      >
        deployment {deployment}
      </Link>{" "}
      <span className={what === "as before" ? "quiet" : undefined}>{what}</span>
      {active && <strong> · active</strong>}
      <br />
      <span className="quiet">
        <Clock at={createdAt} /> · {nodes === 1 ? "1 node" : `${nodes} nodes`} ·{" "}
        <code title={bundle}>{bundle.slice(0, hashShown)}</code>
      </span>
    </li>
  );
}

function Changes({ changes, pipeline }: { readonly changes: PipelineChanges; readonly pipeline: string }) {
  const { from, to, nodes, trigger, triggerChanges, params, options, files, isCut } = changes;
  const isNothing =
    nodes.added.length + nodes.removed.length + nodes.changed.length === 0 &&
    triggerChanges.length + params.length + options.length + files.length === 0;
  if (!from)
    return (
      <p>
        Deployment {to.deployment}, <Clock at={to.createdAt} />, is the first that has it:{" "}
        {nodes.added.length === 1 ? "one node" : `${nodes.added.length} nodes`}.
      </p>
    );
  return (
    <>
      <section>
        <p>
          From deployment {from.deployment}, <Clock at={from.createdAt} />, to deployment {to.deployment},{" "}
          <Clock at={to.createdAt} />:{" "}
          <strong>{isNothing ? "nothing changed of it" : sentence(changes)}</strong>.
        </p>
        {isCut && <p className="warn-text">There are more differences than are shown.</p>}
      </section>
      {nodes.added.length + nodes.removed.length + nodes.changed.length > 0 && (
        <section aria-label="Nodes">
          <h2>Nodes</h2>
          <ul className="changes">
            {nodes.added.map((id) => (
              <li key={id} className="added">
                + {id}
              </li>
            ))}
            {nodes.removed.map((id) => (
              <li key={id} className="removed">
                − {id}
              </li>
            ))}
            {nodes.changed.map(({ id, changes: own }) => (
              <li key={id}>
                ~ {id}
                <Values changes={own} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {trigger && (
        <section aria-label="Trigger">
          <h2>Trigger</h2>
          <ul className="changes">
            <li className="removed">− {trigger.before ?? "none"}</li>
            <li className="added">+ {trigger.after ?? "none"}</li>
          </ul>
          <Values changes={triggerChanges} />
        </section>
      )}
      {params.length > 0 && (
        <section aria-label="Parameters">
          <h2>Parameters</h2>
          <Values changes={params} />
        </section>
      )}
      {options.length > 0 && (
        <section aria-label="Options">
          <h2>Options</h2>
          <Values changes={options} />
        </section>
      )}
      {files.length > 0 && (
        <section aria-label="Files">
          <h2>Files of the project</h2>
          {files.map((file) => (
            <FileChange
              key={`${from.deployment} ${to.deployment} ${file.file}`}
              file={file}
              pipeline={pipeline}
              from={from.deployment}
              to={to.deployment}
            />
          ))}
        </section>
      )}
    </>
  );
}

function sentence({ nodes, trigger, params, options, files }: PipelineChanges): string {
  const count = (many: number, one: string): string => `${many} ${many === 1 ? one : `${one}s`}`;
  return [
    nodes.added.length === 0 ? "" : `${count(nodes.added.length, "node")} added`,
    nodes.removed.length === 0 ? "" : `${count(nodes.removed.length, "node")} removed`,
    nodes.changed.length === 0 ? "" : `${count(nodes.changed.length, "node")} changed`,
    trigger ? "another trigger" : "",
    params.length === 0 ? "" : "other parameters",
    options.length === 0 ? "" : "other options",
    files.length === 0 ? "" : `${count(files.length, "file")} of the project`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

function Values({ changes }: { readonly changes: readonly ValueChange[] }) {
  return (
    <ul className="values">
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          <code>{path === "" ? "all of it" : path}</code>{" "}
          {before !== undefined && <code className="removed">{textOf(before)}</code>}{" "}
          {before !== undefined && after !== undefined && "→ "}
          {after !== undefined && <code className="added">{textOf(after)}</code>}
        </li>
      ))}
    </ul>
  );
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

interface FileChangeProps {
  readonly file: SourceFileChange;
  readonly pipeline: string;
  readonly from: number;
  readonly to: number;
}

function FileChange({ file: { file, change }, pipeline, from, to }: FileChangeProps) {
  const [isOpen, setOpen] = useState(false);
  const mark = { added: "+", removed: "−", changed: "~" }[change];
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {mark} <code>{file}</code>
      </summary>
      {isOpen && <FileDiff pipeline={pipeline} file={file} change={change} from={from} to={to} />}
    </details>
  );
}

function FileDiff({ pipeline, file, change, from, to }: Omit<FileChangeProps, "file"> & SourceFileChange) {
  const path = `/pipelines/${encodeURIComponent(pipeline)}/source` as const;
  const before = useQuery({
    ...one("definition", path, { file, deployment: from }),
    enabled: change !== "added",
    staleTime: Infinity,
  });
  const after = useQuery({
    ...one("definition", path, { file, deployment: to }),
    enabled: change !== "removed",
    staleTime: Infinity,
  });
  const [old, now] = [
    change === "added" ? "" : before.data?.text,
    change === "removed" ? "" : after.data?.text,
  ];
  const parts = useMemo(
    () => (old === undefined || now === undefined ? undefined : folded(diffLines(old, now))),
    [old, now],
  );
  if (before.error ?? after.error) return <Trouble error={before.error ?? after.error} />;
  if (!parts) return <p className="quiet">Comparing…</p>;
  return (
    <>
      {change !== "removed" && (
        <p>
          <Link
            to="/pipelines/$pipeline"
            params={{ pipeline }}
            search={{ tab: "source", file, deployment: String(to) }}
          >
            the whole file
          </Link>
        </p>
      )}
      <div className="diff" tabIndex={0} role="region" aria-label={`What differs in ${file}`}>
        {parts.slice(0, linesShown).map((part, at) =>
          typeof part === "number" ? (
            <div key={at} className="quiet">
              … {part === 1 ? "one line" : `${part} lines`}
            </div>
          ) : (
            <div key={at} className={part.kind}>
              <span className="number">{part.line}</span>
              <span aria-hidden="true">{{ same: " ", added: "+", removed: "−" }[part.kind]}</span>
              <code>{part.text}</code>
            </div>
          ),
        )}
        {parts.length > linesShown && (
          <div className="quiet">… and {parts.length - linesShown} more lines</div>
        )}
      </div>
    </>
  );
}
