/** How the demo prints: plain lines of at most 80 columns, fewer in a narrow terminal, with colours only where people look. */
import { styleText } from "node:util";

const columnsMax = 80;
/** Narrower ones fold what is folded here once more. */
const columnsMin = 30;
const nameWidth = 8;
const runWidth = 17;
/** What happened needs so much beside its run; else the run goes below it. */
const entryWidthMin = 30;

export class Paper {
  readonly #startedAt: number;
  readonly #write: (line: string) => void;
  readonly #isColored: boolean;
  readonly #columns: number;

  /** `columns`: of the terminal; nothing where there is none. */
  constructor(
    write: (line: string) => void,
    { isColored, columns }: { readonly isColored: boolean; readonly columns: number | undefined },
  ) {
    this.#startedAt = Date.now();
    this.#write = write;
    this.#isColored = isColored;
    this.#columns = Math.max(columnsMin, Math.min(columnsMax, columns ?? columnsMax));
  }

  title(text: string): void {
    this.#write("");
    for (const line of fold(text, this.#columns, 0)) this.#write(this.#paint("bold", line));
  }

  text(text: string): void {
    for (const line of fold(text, this.#columns, 0)) this.#write(line);
  }

  /** Something that happens, with the seconds since the start. */
  news(text: string, at = Date.now()): void {
    const [first = "", ...more] = fold(text, this.#columns - nameWidth - 2, 0);
    const seconds = `${Math.max(0, (at - this.#startedAt) / 1000).toFixed(1)} s`.padStart(nameWidth);
    this.#write(`${this.#paint("dim", seconds)}  ${first}`);
    for (const line of more) this.#write(`${" ".repeat(nameWidth + 2)}${line}`);
  }

  /** One line of the timeline: when, what, and which run. */
  entry({ at, what, run }: { readonly at: number; readonly what: string; readonly run?: string }): void {
    const beside = this.#columns - nameWidth - 2 - runWidth - 2;
    const isBeside = beside >= entryWidthMin;
    const room = isBeside ? beside : this.#columns - nameWidth - 2;
    const [first = "", ...more] = fold(what, room, 0);
    const seconds = `${Math.max(0, (at - this.#startedAt) / 1000).toFixed(1)} s`.padStart(nameWidth);
    const indent = " ".repeat(nameWidth + 2);
    const shownRun = run === undefined ? "" : this.#paint("dim", run);
    const end = isBeside && run !== undefined ? `${" ".repeat(room - first.length)}  ${shownRun}` : "";
    this.#write(`${this.#paint("dim", seconds)}  ${first}${end}`);
    for (const line of more) this.#write(`${indent}${line}`);
    if (!isBeside && run !== undefined) this.#write(`${indent}${shownRun}`);
  }

  claim({
    text,
    isTrue,
    found,
  }: {
    readonly text: string;
    readonly isTrue: boolean;
    readonly found: string;
  }): void {
    const [first = "", ...more] = fold(text, this.#columns - 4, 0);
    this.#write(`  ${isTrue ? this.#paint("green", "✓") : this.#paint("red", "✗")} ${first}`);
    for (const line of more) this.#write(`    ${line}`);
    if (!isTrue)
      for (const line of fold(`found: ${found}`, this.#columns - 6, 2)) this.#write(`      ${line}`);
  }

  /** A command of the product and what it printed, folded to the width. */
  output(command: string, printed: string): void {
    this.#write("");
    for (const line of fold(`$ ${command}`, this.#columns - 2, 2))
      this.#write(`  ${this.#paint("cyan", line)}`);
    for (const line of printed.split("\n"))
      for (const part of fold(line, this.#columns - 2, 2)) this.#write(`  ${part}`.trimEnd());
  }

  #paint(style: "bold" | "dim" | "green" | "red" | "cyan", text: string): string {
    return this.#isColored ? styleText(style, text, { validateStream: false }) : text;
  }
}
/**
 * Lines of at most `width` characters, broken at spaces, else behind commas and slashes; those that go on are set in by
 * `hang` more.
 */
export function fold(text: string, width: number, hang: number): string[] {
  const lines: string[] = [];
  const indent = " ".repeat((/^ */.exec(text)?.[0].length ?? 0) + hang);
  let rest = text;
  while (rest.length > width) {
    const least = indent.length;
    const space = rest.lastIndexOf(" ", width);
    const mark = Math.max(rest.lastIndexOf(",", width - 1), rest.lastIndexOf("/", width - 1)) + 1;
    const at = space > least ? space : mark > least ? mark : width;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${indent}${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest.trimEnd()];
}
