/** Where files may be, and what none of them may hold. */
import { owners, rootFiles } from "./owners.ts";
import { scan } from "./scan.ts";
import { isTypeScript, type Finding, type SourceTree } from "./source-tree.ts";

export function checkOwners(tree: SourceTree): Finding[] {
  return tree.files
    .filter(
      (file) =>
        !(file.includes("/")
          ? owners.some(({ prefix }) => file.startsWith(prefix))
          : rootFiles.includes(file)),
    )
    .map((file) => ({ file, message: "has no owner in tools/tidy/owners.ts" }));
}

/** `packages/core/src/index.ts`, `packages/connectors/src/kafka/index.ts`. */
const edge = /^packages\/(?:[^/]+\/src|connectors\/src\/[^/]+)\/index\.ts$/;

export function checkEdges(tree: SourceTree): Finding[] {
  return tree.files.filter(isTypeScript).flatMap((file) => {
    if (!/(?:^|\/)index\.[cm]?tsx?$/.test(file)) return [];
    if (!edge.test(file))
      return [{ file, message: "index.ts stands only at a package's edge: import the file itself" }];
    const lines = scan(tree.read(file)).code.split("\n");
    return lines.flatMap((text, index) =>
      /\bexport\s*\*/.test(text)
        ? [{ file, line: index + 1, message: "list the names one by one, not `export *`" }]
        : [],
    );
  });
}

const vagueNames = new Set(["utils", "util", "helpers", "helper", "common", "misc", "manager", "types"]);

export function checkNames(tree: SourceTree): Finding[] {
  return tree.files.filter(isTypeScript).flatMap((file) => {
    const parts = file.split("/");
    const stem = (parts.at(-1) ?? "").split(".")[0] ?? "";
    const findings: Finding[] = [];
    if ([...parts.slice(0, -1), stem].some((part) => vagueNames.has(part))) {
      findings.push({ file, message: "is named for nothing in particular: say what it holds" });
    }
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem))
      findings.push({ file, message: "is not named in kebab-case" });
    return findings;
  });
}

const linesMax = 500;

/** 300 lines are normal; more than 500 need a reason, which stands here. */
const longFiles: { readonly [file: string]: string } = {
  "packages/core/src/error/catalogue.ts":
    "a table: each code is an entry of its own, and they are looked up in one place",
  "packages/server/src/engine/engine.ts":
    "it wires all modules of the engine together and holds nothing of theirs: half of it is lists of what each is given",
  "packages/core/src/index.ts": "a list of names at a package's edge",
};

export function checkLength(tree: SourceTree): Finding[] {
  return tree.files
    .filter((file) => isTypeScript(file) && /^packages\/[^/]+\/src\//.test(file) && !(file in longFiles))
    .map((file) => ({ file, lines: tree.read(file).split("\n").length }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ file, lines }) => ({
      file,
      message: `has ${lines} lines: split it, or give the reason in check-files.ts`,
    }));
}

/** Folders of one machine: a home, a checkout. Written so that it does not find itself. */
const machinePath = new RegExp(
  String.raw`(?<![\w.@/-])(?:/(?:work|root|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*)/|/tmp/(?:bash|claude)|[A-Z]:\\Users\\)`,
);
const textFile = /\.(?:[cm]?[jt]sx?|json|md|sql|sh|ya?ml|html|css|txt|toml)$|^\.ci\/|^[^/.]+$/;

export function checkMachinePaths(tree: SourceTree): Finding[] {
  return tree.files
    .filter((file) => textFile.test(file))
    .flatMap((file) => {
      const lines = tree.read(file).split("\n");
      return lines.flatMap((text, index) => {
        const match = machinePath.exec(text);
        return match ? [{ file, line: index + 1, message: `names a path of one machine: ${match[0]}` }] : [];
      });
    });
}
