/** Pictures as SVG files of their own: colours as the theme has them at this moment, faces that any viewer has. */
import { saveFile } from "./download.tsx";

export const svgFace = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
export const svgMono = "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

/** Tokens of `styles/tokens.css`, and what is mixed of them. */
export interface Palette {
  readonly [token: string]: string;
}

/** Each as `#rrggbb`: not every viewer knows `light-dark()` and `color-mix()`. */
export function resolveColors(wanted: { readonly [token: string]: string }): Palette {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const ink = canvas.getContext("2d", { willReadFrequently: true })!;
  const found = Object.entries(wanted).map(([name, value]): [string, string] => {
    probe.style.color = value;
    ink.clearRect(0, 0, 1, 1);
    ink.fillStyle = getComputedStyle(probe).color;
    ink.fillRect(0, 0, 1, 1);
    const [red, green, blue] = ink.getImageData(0, 0, 1, 1).data;
    const hex = [red, green, blue].map((part) => (part ?? 0).toString(16).padStart(2, "0")).join("");
    return [name, `#${hex}`];
  });
  probe.remove();
  return Object.fromEntries(found);
}

/** As wide as a line of small text is on average: the same in every viewer, near enough. */
const characterShare = 0.56;

/** `text`, cut where it would be wider. */
export function fitText(text: string, width: number, size: number): string {
  const most = Math.max(1, Math.floor(width / (size * characterShare)));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

// oxlint-disable-next-line eslint/no-control-regex -- XML has no place for them
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(unwritable, "�")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export function saveSvg(name: string, svg: string): void {
  saveFile(`${name.replaceAll(/[^\w.-]+/g, "-")}.svg`, new Blob([svg], { type: "image/svg+xml" }));
}
