/** Patterns that are matched in time linear to the text: RE2's, by `re2js`, which no other file imports. */
import { RE2JS } from "re2js";
import { patternCharactersMax, patternProgramMax } from "../../limits.ts";

export interface Pattern {
  /** Whether the pattern is found anywhere in `text`. */
  isIn(text: string): boolean;
}

export type PatternResult = { readonly pattern: Pattern } | { readonly fault: string };

/** Look-around and back-references are refused: nothing linear can match them. */
export function compilePattern(source: string): PatternResult {
  if (source.length > patternCharactersMax)
    return { fault: `has ${source.length} characters, and ${patternCharactersMax} are allowed` };
  try {
    const compiled = RE2JS.compile(source);
    if (compiled.programSize() > patternProgramMax)
      return { fault: "repeats too much: its program is too large" };
    return { pattern: { isIn: (text) => compiled.matcher(text).find() } };
  } catch (error) {
    return { fault: `is no RE2 pattern: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** `*` and `?` stop at `/`, `**` does not, a backslash takes the next character as it is. The whole text must fit. */
export function compileGlob(glob: string): PatternResult {
  let source = "";
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at] ?? "";
    if (character === "*") {
      const deep = glob[at + 1] === "*";
      if (deep) at += 1;
      source += deep ? "(?s:.*)" : "[^/]*";
    } else if (character === "?") {
      source += "[^/]";
    } else if (character === "\\") {
      at += 1;
      if (at >= glob.length) return { fault: "ends with a backslash that nothing follows" };
      source += RE2JS.quote(codePointAt(glob, at));
    } else {
      source += RE2JS.quote(codePointAt(glob, at));
    }
    if (codePointAt(glob, at).length > 1) at += 1;
  }
  const compiled = compilePattern(`\\A${source}\\z`);
  if ("fault" in compiled && glob.length <= patternCharactersMax) return { fault: "is too long" };
  return compiled;
}

function codePointAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}
