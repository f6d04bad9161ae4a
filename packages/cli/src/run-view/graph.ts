/** A pipeline's graph as text, and in Mermaid's language. */
import {
  compileGraph,
  describeSpan,
  type GraphNode,
  type PipelineDefinition,
  type WaitOptions,
} from "@millrace/core";
import { formatDuration, formatTable, plural } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { outlineOf, parentsOf, type OutlineRow } from "@millrace/protocol/run-picture";

export function textGraphOf(definition: PipelineDefinition, paint: Colors): string[] {
  const rows = outlineOf(definition);
  const about = [
    plural(rows.length, "node"),
    definition.description,
    definition.owner && `by ${definition.owner}`,
  ];
  const lines = [`${paint.bold(definition.name)}  ${paint.dim(about.filter(Boolean).join(", "))}`, ""];
  const cells = rows.map((row) => [
    `  ${paint.dim(row.lead)}${shapeOf(row.node)} ${row.id}`,
    paint.dim(waitsFor(row)),
    paint.dim(notesOf(row.node).join("  ")),
  ]);
  return [...lines, ...formatTable(cells)];
}

function shapeOf({ definition, teardown }: GraphNode): string {
  if (teardown) return "⌄";
  switch (definition.kind) {
    case "branch":
      return "◇";
    case "short_circuit":
      return "◆";
    case "call":
      return "▷";
    case "wait":
      return "◌";
    default:
      return "●";
  }
}

function waitsFor(row: OutlineRow): string {
  if (row.parents.length === 0 || row.follows) return "";
  return `← ${row.parents.join(", ")}`;
}

function notesOf(node: GraphNode): string[] {
  const { definition, region } = node;
  const { options } = definition;
  const notes: string[] = [];
  if (region) notes.push(`for each item${region.depth > 1 ? ` (${region.depth} deep)` : ""}`);
  for (const edge of node.parents) {
    if (edge.choices) notes.push(`when ${edge.parent.definition.id} chose ${edge.choices.join(" or ")}`);
  }
  if (definition.kind === "wait") notes.push(waitNote(definition.wait));
  if (definition.kind === "call") notes.push(`runs ${definition.calls}`);
  if (definition.rule !== "all_success" && !node.teardown) notes.push(definition.rule);
  if (node.teardown) notes.push(`teardown of ${(definition.teardownOf ?? []).join(", ")}`);
  if (options.timeoutMs !== undefined)
    notes.push(`timeout ${formatDuration(options.timeoutMs).replace(".0 s", " s")}`);
  if (options.pool) notes.push(`pool ${options.pool.name}`);
  if (options.queue !== "default") notes.push(`queue ${options.queue}`);
  if (options.cache) notes.push("cached");
  return notes;
}

function waitNote(wait: WaitOptions | undefined): string {
  const what = wait?.approval ? `asks ${wait.approval.by?.join(" or ") ?? "a person"}` : "waits";
  return wait?.timeoutMs === undefined
    ? what
    : `${what}${wait.approval ? "," : ""} ${describeSpan(wait.timeoutMs)} at most`;
}

export function mermaidOf(definition: PipelineDefinition): string[] {
  const { nodes, regions, rootNodes } = compileGraph(definition);
  const lines = ["flowchart LR"];
  const declare = (node: GraphNode, indent: string): void => {
    const [open, close] = brackets(node);
    lines.push(`${indent}n${node.index}${open}"${escapeText(node.definition.id)}"${close}`);
  };
  const declareRegion = (region: (typeof regions)[number], indent: string): void => {
    lines.push(`${indent}subgraph r${region.index}["${escapeText(region.definition.id)}: for each item"]`);
    for (const node of region.nodes) declare(node, `${indent}  `);
    for (const child of region.children) declareRegion(child, `${indent}  `);
    lines.push(`${indent}end`);
  };
  for (const node of rootNodes) declare(node, "  ");
  for (const region of regions) if (!region.parent) declareRegion(region, "  ");
  for (const node of nodes) {
    for (const parent of parentsOf(node)) {
      const edge = node.parents.find((known) => known.parent === parent);
      const label = edge?.choices ? `|"${escapeText(edge.choices.join(" or "))}"|` : "";
      lines.push(`  n${parent.index} ${node.teardown ? "-.->" : "-->"}${label} n${node.index}`);
    }
  }
  return lines;
}

function brackets({ definition }: GraphNode): readonly [string, string] {
  switch (definition.kind) {
    case "branch":
    case "short_circuit":
      return ["{", "}"];
    case "call":
      return ["[[", "]]"];
    case "wait":
      return ["([", "])"];
    default:
      return ["[", "]"];
  }
}

function escapeText(text: string): string {
  return text.replaceAll('"', "#quot;");
}
