/** `npm run screenshots [-- NAME…] [--theme light|dark] [--width PIXELS] [--out FOLDER]`: pictures of the page, to be looked at. */
import { mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { startBrowser, Visit } from "../harness/browser.ts";
import { lessonPictures } from "./lesson-pictures.ts";
import { Rest } from "./rest.ts";
import { emptyScene, newScene, shopScene, type Scene } from "./scene.ts";
import { chosenShots, shots, type SceneName, type Shot } from "./shots.ts";

const usage = `usage: npm run screenshots [-- NAME…] [--theme light|dark] [--width PIXELS] [--out FOLDER]
       npm run screenshots -- --lesson

Takes pictures of the page in Chromium, at a real server. A name chooses those that begin with it; one that begins
with / is an address to take a picture of. Without options: all of them, 1280 and 2560 wide, light and dark.
With --lesson it makes the pictures of docs/learning instead, in their place.

  ${shots.map(({ name }) => name).join(" ")}
`;

const heights: { readonly [width: number]: number } = { 1280: 800, 2560: 1_440 };
const themes = ["light", "dark"] as const;
type Theme = (typeof themes)[number];

interface View {
  readonly width: number;
  readonly theme: Theme;
}

interface Wanted {
  /** The pictures of the documentation, in place of all others. */
  readonly isLesson: boolean;
  readonly shots: readonly Shot[];
  readonly views: readonly View[];
  readonly out: string;
}

const scenes: readonly (readonly [kind: SceneName, make: () => Promise<Scene>])[] = [
  ["shop", shopScene],
  ["empty", emptyScene],
  ["new", () => newScene(false)],
  ["broken", () => newScene(true)],
];

function readWanted(): Wanted {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      theme: { type: "string", multiple: true },
      width: { type: "string", multiple: true },
      lesson: { type: "boolean", default: false },
      out: { type: "string", default: join(import.meta.dirname, "..", "..", ".screenshots") },
    },
  });
  const widths = values.width?.map(Number) ?? Object.keys(heights).map(Number);
  const wantedThemes = themes.filter((theme) => values.theme?.includes(theme) ?? true);
  const chosen = chosenShots(positionals);
  if (!widths.every((width) => width >= 320 && width <= 7_680))
    throw new Error("a width is 320 to 7680 pixels");
  if (wantedThemes.length === 0) throw new Error("a theme is light or dark");
  if (chosen.length === 0) throw new Error(`no picture is called ${positionals.join(" or ")}`);
  const views = widths.flatMap((width) => wantedThemes.map((theme) => ({ width, theme })));
  return { isLesson: values.lesson, shots: chosen, views, out: resolve(values.out) };
}

async function shoot(browser: Browser, scene: Scene, wanted: Wanted, chosen: readonly Shot[]): Promise<void> {
  for (const { width, theme } of wanted.views) {
    await using visit = await Visit.begin(browser, scene.url, { width, scheme: theme });
    const rest = new Rest(visit.page);
    await visit.page.setViewportSize({ width, height: heights[width] ?? Math.round(width * 0.6) });
    for (const { name, path } of chosen) {
      await visit.open(path(scene.names));
      await visit.page.locator("main h1").first().waitFor();
      await rest.come();
      const file = join(wanted.out, `${name}-${width}-${theme}.png`);
      await visit.page.screenshot({ path: file });
      console.log(relative(process.cwd(), file));
    }
    for (const trouble of visit.troubles) console.error(`! ${width} ${theme}: ${trouble}`);
  }
}

let wanted: Wanted;
try {
  wanted = readWanted();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}
let browser: Browser;
try {
  browser = await startBrowser();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
try {
  if (wanted.isLesson) await lessonPictures(browser, (file) => console.log(relative(process.cwd(), file)));
  else mkdirSync(wanted.out, { recursive: true });
  for (const [kind, make] of scenes) {
    const chosen = wanted.isLesson ? [] : wanted.shots.filter(({ scene }) => scene === kind);
    if (chosen.length === 0) continue;
    console.error(`The scene "${kind}" is made …`);
    await using scene = await make();
    await shoot(browser, scene, wanted, chosen);
  }
} finally {
  await browser.close();
}
