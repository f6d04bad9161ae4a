/** Saves a graph as a file that other viewers show as the page does. */
import { resolveColors, saveSvg } from "../svg-file.ts";
import { graphColors, graphSvg, type GraphPicture } from "./graph-svg.ts";

export function saveGraph(picture: GraphPicture): void {
  saveSvg(`${picture.name}-graph`, graphSvg(picture, resolveColors(graphColors)));
}
