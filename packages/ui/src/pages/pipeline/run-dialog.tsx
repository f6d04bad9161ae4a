/** Starts a run: a form made of the parameters' schema, the partition where its trigger is about some. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { PipelineDetail, StartRunRequest } from "@millrace/protocol";
import { ApiError, post } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { emptyForm, formJson, SchemaForm, type FieldIssue } from "../../parts/schema-form.tsx";
import { hasPartitions } from "./about-partitions.ts";

export function RunDialog({ pipeline }: { readonly pipeline: PipelineDetail }) {
  const { name, paramsSchema, definition, paused } = pipeline;
  const navigate = useNavigate();
  const [form, setForm] = useState(emptyForm);
  const [partition, setPartition] = useState("");
  const takesPartition = hasPartitions(definition.trigger?.condition);
  return (
    <Ask
      name="Run…"
      title={`Run ${name}`}
      confirm={paused ? "Run it although it is paused" : "Run"}
      isMain
      changes={["runs", "grid", "pipelines"]}
      act={() => {
        const request: StartRunRequest = {
          pipeline: name,
          params: formJson(paramsSchema, form),
          ...(partition === "" ? {} : { partition }),
          ...(paused ? { force: true } : {}),
        };
        return post("/runs", request);
      }}
      onDone={({ run }) => void navigate({ to: "/runs/$run", params: { run: run.id } })}
      isTold={(error) => issuesOf(error).length > 0}
    >
      {(error) => (
        <>
          {paramsSchema === undefined && !takesPartition && <p>It takes no parameters.</p>}
          {paramsSchema !== undefined && (
            <SchemaForm schema={paramsSchema} value={form} onChange={setForm} issues={issuesOf(error)} />
          )}
          {takesPartition && (
            <div className="form">
              <label>
                <span>partition</span>
                <input
                  className="field"
                  value={partition}
                  onChange={({ target }) => setPartition(target.value)}
                />
                <small className="quiet">
                  The key of the partition that the run is for, as its trigger names it: a day, a region.
                </small>
              </label>
            </div>
          )}
          {paused && <p className="note warn">The pipeline is paused. This run starts all the same.</p>}
        </>
      )}
    </Ask>
  );
}

function issuesOf(error: Error | null): readonly FieldIssue[] {
  if (!(error instanceof ApiError) || error.problem.code !== "MILLRACE_PARAMS_INVALID") return [];
  const issues = error.problem.fields?.["issues"];
  return Array.isArray(issues) ? issues : [];
}
