/** A block of lines at the end of a terminal that is drawn again in place. */
import { every } from "../pause.ts";
import type { Terminal } from "./terminal.ts";

const escape = String.fromCodePoint(27);
const redrawMs = 100;

export class LiveArea {
  readonly #terminal: Terminal;
  readonly #draw: () => readonly string[];
  readonly #stopTicking: () => void;
  #height = 0;
  #last = "";
  #isOver = false;

  /** `draw` gives the lines; it is called ten times a second, and what did not change is not written again. */
  constructor(terminal: Terminal, draw: () => readonly string[]) {
    this.#terminal = terminal;
    this.#draw = draw;
    terminal.write(`${escape}[?25l`);
    this.#stopTicking = every(redrawMs, () => this.#redraw());
    this.#redraw();
  }

  /** Prints lines above the area. */
  printAbove(text: string): void {
    this.#terminal.write(`${this.#erase()}${text}\n`);
    this.#height = 0;
    this.#last = "";
    this.#redraw();
  }

  /** Replaces the area by these lines for good. */
  end(lines: readonly string[]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTicking();
    this.#terminal.write(`${this.#erase()}${lines.map((line) => `${line}\n`).join("")}${escape}[?25h`);
  }

  #redraw(): void {
    if (this.#isOver) return;
    const lines = this.#draw();
    const text = lines.join("\n");
    if (text === this.#last) return;
    this.#terminal.write(`${this.#erase()}${lines.map((line) => `${line}\n`).join("")}`);
    this.#last = text;
    this.#height = lines.length;
  }

  #erase(): string {
    // The terminal may have echoed a key: back to the first column.
    return this.#height === 0 ? "\r" : `\r${escape}[${this.#height}A${escape}[0J`;
  }
}
