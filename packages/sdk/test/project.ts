/** What the tests share: one pipeline described, or the error that it gives. */
import type { MillraceError, NodeDefinition, PipelineDefinition } from "@millrace/core";
import { pipeline } from "../src/index.ts";
import { loadProject, type LoadedProject, type LoadOptions } from "../src/internal.ts";

export const root = import.meta.dirname;

export function load(exported: object, options: Partial<LoadOptions> = {}): LoadedProject {
  return loadProject({ "pipelines.ts": exported }, { project: "test", root, ...options });
}

/** The definition of a pipeline that must be sound. */
export function definitionOf(made: object, options: Partial<LoadOptions> = {}): PipelineDefinition {
  const loaded = load({ made }, options);
  const [definition] = loaded.definition.pipelines;
  if (loaded.errors[0] || !definition) throw loaded.errors[0] ?? new Error("nothing was loaded");
  return definition;
}

export function describeBody(body: () => unknown): PipelineDefinition {
  return definitionOf(pipeline("test", body));
}

/** The only error of a pipeline with this body. */
export function errorOf(body: () => unknown): MillraceError {
  return onlyError({ made: pipeline("test", body) });
}

export function onlyError(exported: object, options: Partial<LoadOptions> = {}): MillraceError {
  const { errors } = load(exported, options);
  const [error] = errors;
  if (errors.length !== 1 || !error) throw new Error(`expected one error, found ${errors.length}`);
  return error;
}

export function nodeOf(definition: PipelineDefinition, id: string): NodeDefinition {
  const node = definition.nodes.find((one) => one.id === id);
  if (!node) throw new Error(`no node "${id}" among ${definition.nodes.map((one) => one.id).join(", ")}`);
  return node;
}

export function parentsOf(definition: PipelineDefinition, id: string): string[] {
  return nodeOf(definition, id)
    .after.map((edge) => edge.node)
    .sort();
}

/** The line in this test file that holds `text`, to compare with a source location. */
export function lineOf(source: string, text: string): number {
  const lines = source.split("\n");
  const found = lines.flatMap((line, index) =>
    line.includes(text) && !line.includes("lineOf(") ? [index + 1] : [],
  );
  if (found.length !== 1) throw new Error(`"${text}" stands in ${found.length} lines`);
  return found[0]!;
}
