/** A graph as a file: all of it, whatever part is in view. */
import { stateKind, stateMark, stateWord } from "../state.tsx";
import { escapeXml, fitText, svgFace, type Palette } from "../svg-file.ts";
import { pathOf } from "./graph-view.ts";
import { nodeHeight, nodeWidth, type Layout, type PlacedNode } from "./layout.ts";
import { boxTitle, type DrawnWay, type VertexLook } from "./look.ts";
import { barHeight, barParts, tallyText } from "./vertex.tsx";

export interface GraphPicture {
  readonly name: string;
  readonly layout: Layout;
  readonly look: (id: string) => VertexLook;
  readonly regions: ReadonlySet<string>;
  readonly critical: DrawnWay;
}

/** Of `styles/pipeline.css`. */
export const graphColors: { readonly [name: string]: string } = {
  paper: "var(--paper)",
  paper2: "var(--paper-2)",
  paper3: "var(--paper-3)",
  ink: "var(--ink)",
  ink2: "var(--ink-2)",
  line: "var(--line-2)",
  good: "color-mix(in srgb, var(--good-fill) 30%, var(--paper))",
  busy: "color-mix(in srgb, var(--busy-fill) 45%, var(--paper))",
  wait: "color-mix(in srgb, var(--wait-fill) 40%, var(--paper))",
  warn: "var(--warn-paper)",
  bad: "var(--bad-paper)",
  off: "var(--paper)",
  goodInk: "var(--good)",
  busyInk: "var(--busy)",
  waitInk: "var(--wait)",
  warnInk: "var(--warn)",
  badInk: "var(--bad)",
  offInk: "var(--off)",
};

export function graphSvg(picture: GraphPicture, colors: Palette): string {
  const { name, layout, regions, critical } = picture;
  const width = Math.ceil(layout.width);
  const height = Math.ceil(layout.height);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${svgFace}" font-size="12">`,
    `<title>${escapeXml(name)}</title>`,
    `<rect width="${width}" height="${height}" fill="${colors["paper"]}"/>`,
  ];
  for (const { id, x, y, width: wide, height: high } of layout.boxes)
    parts.push(
      `<rect x="${x}" y="${y}" width="${wide}" height="${high}" rx="4" fill="${colors["paper2"]}" stroke="${colors["line"]}" stroke-dasharray="4 3"/>`,
      `<text x="${x + 8}" y="${y + 12}" font-size="11" fill="${colors["ink2"]}">${escapeXml(boxTitle(id, regions))}</text>`,
    );
  for (const edge of layout.edges) {
    const isCritical = critical.edges.has(`${edge.from}\n${edge.to}`);
    parts.push(
      `<path d="${pathOf(edge)}" fill="none" stroke="${isCritical ? colors["ink"] : colors["line"]}" stroke-width="${isCritical ? 2.4 : 1.4}"/>`,
    );
  }
  for (const node of layout.nodes.values()) parts.push(vertexSvg(node, picture, colors));
  parts.push("</svg>");
  return parts.join("\n");
}

function vertexSvg({ id, x, y }: PlacedNode, { look, critical }: GraphPicture, colors: Palette): string {
  const { state, told, isMany, tally } = look(id);
  const kind = state === undefined ? "off" : stateKind(state);
  const isCritical = critical.nodes.has(id);
  const stroke = kind === "bad" ? colors["badInk"] : isCritical ? colors["ink"] : colors["line"];
  const box = `width="${nodeWidth}" height="${nodeHeight}" rx="3"`;
  const what = state === undefined ? id : `${id}: ${stateWord(state)}${tally ? `; ${tallyText(tally)}` : ""}`;
  const toldWidth = told === undefined ? 0 : told.length * 6.2 + 6;
  const nameAt = state === undefined ? 8 : 26;
  return [
    `<g transform="translate(${x} ${y - nodeHeight / 2})"><title>${escapeXml(what)}</title>`,
    isMany ? `<rect x="4" y="4" ${box} fill="${colors["paper"]}" stroke="${colors["line"]}"/>` : "",
    `<rect ${box} fill="${colors[kind]}" stroke="${stroke}" stroke-width="${isCritical ? 2 : 1}"/>`,
    tally
      ? `<rect y="${nodeHeight - barHeight}" width="${nodeWidth}" height="${barHeight}" fill="${colors["paper3"]}"/>`
      : "",
    ...(tally ? barParts(tally) : []).map(
      (part) =>
        `<rect x="${part.x}" y="${nodeHeight - barHeight}" width="${part.width}" height="${barHeight}" fill="${colors[`${stateKind(part.state)}Ink`]}"/>`,
    ),
    state === undefined
      ? ""
      : `<text x="8" y="18" fill="${colors[`${kind}Ink`]}">${escapeXml(stateMark(state))}</text>`,
    `<text x="${nameAt}" y="18" fill="${colors["ink"]}">${escapeXml(fitText(id, nodeWidth - nameAt - 8 - toldWidth, 12))}</text>`,
    told === undefined
      ? ""
      : `<text x="${nodeWidth - 8}" y="18" text-anchor="end" font-size="11" fill="${colors["ink2"]}">${escapeXml(told)}</text>`,
    "</g>",
  ].join("");
}
