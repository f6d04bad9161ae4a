import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { scan } from "./scan.ts";
import { gitTree, isTypeScript } from "./source-tree.ts";

function imports(source: string): string[] {
  return scan(source).imports.map(
    ({ specifier, typeOnly, dynamic, line }) =>
      `${line} ${dynamic ? "dynamic " : ""}${typeOnly ? "type " : ""}${specifier}`,
  );
}

test("every form of import and re-export is seen", () => {
  const source = `import a from "a";
import { b, type B } from 'b';
import * as c from "c";
import "d";
import type { E } from "e";
import type F from "f";
import type, { g } from "g";
import type from "h";
export { i } from "i";
export * from "j";
export type { K } from "k";
export * as l from "l";
const m = await import("m");
import {
  n,
} from "n";
import o, * as p from "o";
let q: import("q").Q<typeof import("r")>;
`;
  expect(imports(source)).toEqual([
    "1 a",
    "2 b",
    "3 c",
    "4 d",
    "5 type e",
    "6 type f",
    "7 g",
    "8 h",
    "9 i",
    "10 j",
    "11 type k",
    "12 l",
    "13 dynamic m",
    "14 n",
    "17 o",
    "18 dynamic type q",
    "18 dynamic type r",
  ]);
});

test("what only looks like an import is none", () => {
  const source = `// import "a";
/* import "b"; */
const c = 'import "c"';
const d = \`import "d" \${"import \\"e\\""}\`;
const f = /import "f"/;
export const g = "h";
export default "i";
object.import("j");
`;
  expect(imports(source).filter((found) => !found.endsWith("j"))).toEqual([]);
});

test("comments, strings and regular expressions are blanked, and positions are kept", () => {
  const source = `a("Date.now", 'x\\'y', /[/"]Date.now/g, \`Date.now \${Date.now({ a: \`}\` })} Date.now\`); // Date.now\nb = c / d; Date.now /* Date.now */;`;
  const { code, strings } = scan(source);
  expect(code).toHaveLength(source.length);
  expect(code.match(/Date\.now/g)).toHaveLength(2);
  expect(code.indexOf("b = c / d; Date.now")).toBe(source.indexOf("b = c"));
  expect(strings.map(({ text }) => text)).toEqual(["Date.now", "x\\'y", "Date.now ", "}", " Date.now"]);
});

test("for every file of the repository the scanner sees the value imports that esbuild sees", async () => {
  const root = join(import.meta.dirname, "..", "..");
  const tree = gitTree(root);
  const files = tree.files.filter(isTypeScript);
  const seen = await importsByEsbuild(root, files);
  const differing = files.flatMap((file) => {
    // A type-only re-export and an import whose names are all types leave nothing or an empty import: both count alike.
    const ours = unique(
      scan(tree.read(file))
        .imports.filter(({ typeOnly }) => !typeOnly)
        .map(({ specifier }) => specifier),
    );
    const theirs = unique(seen.get(file) ?? []);
    return ours.join() === theirs.join() ? [] : [{ file, ours, theirs }];
  });
  expect(files.length).toBeGreaterThan(20);
  expect(differing).toEqual([]);
});

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

async function importsByEsbuild(root: string, files: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  await build({
    entryPoints: files.map((file) => join(root, file)),
    absWorkingDir: root,
    bundle: true,
    write: false,
    outdir: "out",
    format: "esm",
    platform: "node",
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    treeShaking: false,
    plugins: [
      {
        name: "imports",
        setup(plugin) {
          plugin.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
            if (kind === "entry-point") return undefined;
            if (kind === "import-statement" || kind === "dynamic-import") {
              const file = importer.slice(root.length + 1);
              found.set(file, [...(found.get(file) ?? []), path]);
            }
            return { path, external: true };
          });
        },
      },
    ],
  });
  return found;
}
