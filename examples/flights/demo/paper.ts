/** How the demo prints: plain lines of at most 80 columns, with colours only where people look. */
import { styleText } from "node:util";

const columns = 80;
const nameWidth = 8;

export class Paper {
  readonly #startedAt: number;
  readonly #write: (line: string) => void;
  readonly #isColored: boolean;

  constructor(write: (line: string) => void, { isColored }: { readonly isColored: boolean }) {
    this.#startedAt = Date.now();
    this.#write = write;
    this.#isColored = isColored;
  }

  title(text: string): void {
    this.#write("");
    this.#write(this.#paint("bold", text));
  }

  text(text: string): void {
    for (const line of fold(text, columns, 0)) this.#write(line);
  }

  /** Something that happens, with the seconds since the start. */
  news(text: string, at = Date.now()): void {
    const [first = "", ...more] = fold(text, columns - nameWidth - 2, 0);
    const seconds = `${Math.max(0, (at - this.#startedAt) / 1000).toFixed(1)} s`.padStart(nameWidth);
    this.#write(`${this.#paint("dim", seconds)}  ${first}`);
    for (const line of more) this.#write(`${" ".repeat(nameWidth + 2)}${line}`);
  }

  /** One line of the timeline: when, what, and which run. */
  entry({ at, what, run }: { readonly at: number; readonly what: string; readonly run?: string }): void {
    const room = columns - nameWidth - 2 - runWidth - 2;
    const [first = "", ...more] = fold(what, room, 0);
    const seconds = `${Math.max(0, (at - this.#startedAt) / 1000).toFixed(1)} s`.padStart(nameWidth);
    const end = run === undefined ? "" : `  ${this.#paint("dim", run)}`;
    this.#write(`${this.#paint("dim", seconds)}  ${run === undefined ? first : first.padEnd(room)}${end}`);
    for (const line of more) this.#write(`${" ".repeat(nameWidth + 2)}${line}`);
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
    this.#write(`  ${isTrue ? this.#paint("green", "✓") : this.#paint("red", "✗")} ${text}`);
    if (!isTrue) for (const line of fold(`found: ${found}`, columns - 6, 2)) this.#write(`      ${line}`);
  }

  /** A command of the product and what it printed, folded to the width. */
  output(command: string, printed: string): void {
    this.#write("");
    this.#write(`  ${this.#paint("cyan", `$ ${command}`)}`);
    for (const line of printed.split("\n"))
      for (const part of fold(line, columns - 2, 2)) this.#write(`  ${part}`.trimEnd());
  }

  #paint(style: "bold" | "dim" | "green" | "red" | "cyan", text: string): string {
    return this.#isColored ? styleText(style, text, { validateStream: false }) : text;
  }
}

const runWidth = 17;

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
