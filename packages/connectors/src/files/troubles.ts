/** Folders below a source's folder that can't be read, each with the reason. */
import type { SourceProblem } from "@millrace/core";

/** How often it is looked again where the system tells nothing. */
export const pollMs = 5_000;
/** Of this many parts of the time, looking takes one at most. */
export const scanShare = 20;
/** Those beyond it are met when the whole folder is looked through. */
const troublesMax = 100;

export class FolderTroubles {
  readonly #problems = new Map<string, SourceProblem>();

  /** When they are to be tried again; never where there are none. */
  dueAt = Number.POSITIVE_INFINITY;

  tried(now: number, tookMs: number): void {
    const isDue = this.#problems.size > 0;
    this.dueAt = isDue ? now + Math.max(pollMs, (scanShare - 1) * tookMs) : Number.POSITIVE_INFINITY;
  }

  note(folder: string, problem: SourceProblem): void {
    if (this.#problems.size < troublesMax || this.#problems.has(folder)) this.#problems.set(folder, problem);
  }

  get folders(): readonly string[] {
    return [...this.#problems.keys()];
  }

  get last(): SourceProblem | undefined {
    return [...this.#problems.values()].at(-1);
  }

  /** What was just met in a folder and below stands for what was met there before. True when something can be read again. */
  takeBelow(folder: string, found: FolderTroubles, now: number): boolean {
    let isMended = false;
    for (const known of this.#problems.keys()) {
      const isBelow = known === folder || known.startsWith(`${folder}/`);
      if (!isBelow || found.#problems.has(known)) continue;
      this.#problems.delete(known);
      isMended = true;
    }
    for (const [one, problem] of found.#problems) this.note(one, problem);
    if (this.#problems.size > 0) this.dueAt = Math.min(this.dueAt, now + pollMs);
    return isMended;
  }
}
