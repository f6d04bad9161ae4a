/**
 * Reads TypeScript without a parser. TypeScript 7 has no JavaScript API, es-module-lexer reads no types, and esbuild's
 * metafile has lost the type-only imports, which the import table is about, too. So this is a lexer that knows four things: comments,
 * strings, templates and regular expressions. A test holds its value imports against esbuild's for every file of the
 * repository.
 */

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased at run time: `import type`, `export type … from`. */
  readonly typeOnly: boolean;
  /** `import("…")`. */
  readonly dynamic: boolean;
}

export interface StringLiteral {
  readonly text: string;
  readonly line: number;
}

export interface Scan {
  /** The source in which the insides of comments, strings and regular expressions are blanks; positions are kept. */
  readonly code: string;
  readonly strings: readonly StringLiteral[];
  readonly imports: readonly Import[];
}

export function scan(source: string): Scan {
  const lexer = new Lexer(source);
  lexer.run();
  const code = lexer.blanked.join("");
  return { code, strings: lexer.strings, imports: importsOf(source, code) };
}

export function lineAt(source: string, position: number): number {
  let line = 1;
  for (let at = source.indexOf("\n"); at >= 0 && at < position; at = source.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** After these a slash begins a regular expression, and not a division. */
const beforeRegex =
  /(?:^|[=([{,;:!&|?+\-*%~^<>}]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|await|yield))$/;

class Lexer {
  readonly blanked: string[];
  readonly strings: StringLiteral[] = [];
  readonly #source: string;
  #at = 0;
  /** Depth of braces inside each open `${`. */
  readonly #templates: number[] = [];

  constructor(source: string) {
    this.#source = source;
    this.blanked = source.split("");
  }

  run(): void {
    while (this.#at < this.#source.length) this.#step();
  }

  #step(): void {
    const two = this.#source.slice(this.#at, this.#at + 2);
    const one = two[0];
    if (two === "//") return this.#blankUntil("\n", 0);
    if (two === "/*") return this.#blankUntil("*/", 2);
    if (one === '"' || one === "'") return this.#string(one);
    if (one === "`") return this.#template();
    if (one === "/" && this.#regexMayStand()) return this.#regex();
    if (one === "{" && this.#templates.length > 0) this.#deepen(1);
    if (one === "}" && this.#templates.length > 0) {
      if (this.#templates.at(-1) === 0) {
        this.#templates.pop();
        return this.#template();
      }
      this.#deepen(-1);
    }
    this.#at += 1;
  }

  #deepen(by: number): void {
    this.#templates.push((this.#templates.pop() ?? 0) + by);
  }

  #blank(from: number, to: number): void {
    for (let at = from; at < to; at += 1) if (this.#source[at] !== "\n") this.blanked[at] = " ";
  }

  #blankUntil(end: string, endLength: number): void {
    const found = this.#source.indexOf(end, this.#at + 2);
    const stop = found < 0 ? this.#source.length : found + endLength;
    this.#blank(this.#at, stop);
    this.#at = stop;
  }

  #string(quote: string): void {
    const start = this.#at;
    let at = start + 1;
    while (at < this.#source.length && this.#source[at] !== quote && this.#source[at] !== "\n") {
      at += this.#source[at] === "\\" ? 2 : 1;
    }
    this.#keep(start + 1, at);
    this.#at = at + 1;
  }

  /** From a backtick, or from the brace that closes a hole, to the next hole or the end. */
  #template(): void {
    const start = this.#at + 1;
    let at = start;
    while (at < this.#source.length && this.#source[at] !== "`") {
      if (this.#source.startsWith("${", at)) {
        this.#keep(start, at);
        this.#templates.push(0);
        this.#at = at + 2;
        return;
      }
      at += this.#source[at] === "\\" ? 2 : 1;
    }
    this.#keep(start, at);
    this.#at = at + 1;
  }

  #keep(from: number, to: number): void {
    this.strings.push({ text: this.#source.slice(from, to), line: lineAt(this.#source, from) });
    this.#blank(from, to);
  }

  #regexMayStand(): boolean {
    const before = this.blanked
      .slice(Math.max(0, this.#at - 40), this.#at)
      .join("")
      .trimEnd();
    return beforeRegex.test(before);
  }

  #regex(): void {
    const start = this.#at + 1;
    let at = start;
    let inClass = false;
    while (at < this.#source.length && this.#source[at] !== "\n" && (inClass || this.#source[at] !== "/")) {
      if (this.#source[at] === "[") inClass = true;
      if (this.#source[at] === "]") inClass = false;
      at += this.#source[at] === "\\" ? 2 : 1;
    }
    this.#blank(start, at);
    this.#at = at + 1;
  }
}

const statement = /\b(import|export)\s+(type\b(?!\s*,)(?!\s+from\b)\s*)?(?:[\w$\s{},*]*?\bfrom\s*)?(["'])/g;
const call = /\b(typeof\s+)?import\s*\(\s*(["'`])/g;
/** Behind `import("x")`, a name with a capital is a type; behind a value stand `.then` and the like. */
const typeOfModule = /^["'`\s]*\)\s*\.\s*[A-Z]/;

function importsOf(source: string, code: string): Import[] {
  const imports: Import[] = [];
  const add = (match: RegExpExecArray, quote: string, typeOnly: boolean, dynamic: boolean) => {
    const start = match.index + match[0].length;
    const specifier = source.slice(start, code.indexOf(quote, start));
    imports.push({ specifier, line: lineAt(source, match.index), typeOnly, dynamic });
  };
  for (const match of code.matchAll(statement)) {
    const isExport = match[1] === "export";
    if (isExport && !/\bfrom\s*["']$/.test(match[0])) continue;
    add(match, match[3] ?? "", match[2] !== undefined, false);
  }
  for (const match of code.matchAll(call)) {
    const quote = match[2] ?? "";
    const end = code.indexOf(quote, match.index + match[0].length);
    const typeOnly = match[1] !== undefined || typeOfModule.test(code.slice(end, end + 80));
    add(match, quote, typeOnly, true);
  }
  return imports.sort((a, b) => a.line - b.line);
}
