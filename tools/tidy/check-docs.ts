/** Links of the documents, generated files, and the error catalogue. */
import { posix } from "node:path";
import { generatedFiles, type GeneratedFile } from "../generate/generated-files.ts";
import { isTest, isTypeScript, type Finding, type SourceTree } from "./source-tree.ts";

const catalogueFile = "packages/core/src/error/catalogue.ts";
const errorsPage = "docs/reference/errors.md";

/** Relative links and anchors of every Markdown file. */
export function checkLinks(tree: SourceTree): Finding[] {
  return tree.files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const text = withoutCode(tree.read(file));
      return [...text.matchAll(/\[[^\]\n]*\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].flatMap((match) => {
        const message = linkFault(tree, file, match[1] ?? "");
        const line = text.slice(0, match.index).split("\n").length;
        return message === undefined ? [] : [{ file, line, message }];
      });
    });
}

/** Blanks fenced blocks and code spans, keeping lines. */
function withoutCode(text: string): string {
  const blank = (code: string) => code.replaceAll(/[^\n]/g, " ");
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, blank).replaceAll(/`[^`\n]*`/g, blank);
}

function linkFault(tree: SourceTree, file: string, link: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? file : posix.join(posix.dirname(file), decodeURI(path)).replace(/\/$/, "");
  const isFolder = tree.files.some((known) => known.startsWith(`${target}/`));
  if (!tree.has(target) && !isFolder) return `links to ${link}, which is not there`;
  if (anchor === undefined || !target.endsWith(".md")) return undefined;
  return anchorsOf(tree.read(target)).has(anchor)
    ? undefined
    : `links to ${link}, and there is no such heading`;
}

/** Headings as GitHub makes anchors of them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const match of text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6}\s+(.+)$/gm)) {
    const base = (match[1] ?? "")
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Every generated file is what its generator makes now. */
export function checkGenerated(
  tree: SourceTree,
  generated: readonly GeneratedFile[] = generatedFiles,
): Finding[] {
  return generated.flatMap(({ file, generate }) => {
    const fresh = tree.has(file) && tree.read(file) === generate();
    return fresh ? [] : [{ file, message: "is stale: run `node tools/generate/main.ts`" }];
  });
}

/** Codes: all are documented, none is invented, each is used. */
export function checkErrorCodes(tree: SourceTree): Finding[] {
  if (!tree.has(catalogueFile)) return [];
  const codes = new Set(
    [...tree.read(catalogueFile).matchAll(/^ {2}(MILLRACE_[A-Z_]+):/gm)].map((match) => match[1] ?? ""),
  );
  const documented = tree.has(errorsPage) ? tree.read(errorsPage) : "";
  const findings: Finding[] = [];
  const used = new Set<string>();
  for (const file of tree.files) {
    if (!/^(?:packages|docs)\//.test(file) || !(isTypeScript(file) || file.endsWith(".md"))) continue;
    for (const { code, line } of codesIn(tree.read(file))) {
      if (isTypeScript(file) && /\/src\//.test(file) && file !== catalogueFile) used.add(code);
      if (codes.has(code) || isVariable(code) || isTest(file)) continue;
      if (file.endsWith(".md") || /["'`]/.test(line.quote)) {
        findings.push({ file, line: line.number, message: `${code} is not in the catalogue` });
      }
    }
  }
  for (const code of codes) {
    if (!new RegExp(`^## ${code}$`, "m").test(documented))
      findings.push({ file: errorsPage, message: `does not explain ${code}` });
    if (!used.has(code)) findings.push({ file: catalogueFile, message: `${code} is used nowhere` });
  }
  return findings;
}

interface FoundCode {
  readonly code: string;
  readonly line: { readonly number: number; readonly quote: string };
}

function codesIn(text: string): FoundCode[] {
  if (!text.includes("MILLRACE_")) return [];
  return text.split("\n").flatMap((line, index) =>
    [...line.matchAll(/(.?)\b(MILLRACE_[A-Z][A-Z_]*[A-Z])\b/g)].map((match) => ({
      code: match[2] ?? "",
      line: { number: index + 1, quote: match[1] ?? "" },
    })),
  );
}

/** Environment variables share the prefix. They are listed here, so that a misspelt code is no variable. */
const variables = new Set([
  "MILLRACE_TOKEN",
  "MILLRACE_URL",
  "MILLRACE_STATE",
  "MILLRACE_EDITOR",
  "MILLRACE_NODE_FOUND",
]);

function isVariable(code: string): boolean {
  return variables.has(code) || /^MILLRACE_(?:CONNECTION|TEST)_/.test(code);
}
