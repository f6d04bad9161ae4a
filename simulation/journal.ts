/** What a simulation did: counts for the report, the last lines for a failure, and violations of its rules. */
const linesKept = 20_000;

export interface Violation {
  readonly rule: string;
  readonly detail: string;
  readonly at: number;
}

export class Journal {
  readonly #now: () => number;
  readonly #trace: string;
  readonly counts = new Map<string, number>();
  readonly violations: Violation[] = [];
  #lines: string[] = [];
  #hash = 0x811c9dc5;

  /** `trace`: only lines with this word are kept, from however long ago. */
  constructor(now: () => number, trace = "") {
    this.#now = now;
    this.#trace = trace;
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  /** Counts how far something went. */
  most(name: string, value: number): void {
    this.counts.set(name, Math.max(value, this.counts.get(name) ?? 0));
  }

  note(text: string): void {
    for (let at = 0; at < text.length; at += 1)
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193);
    if (!text.includes(this.#trace)) return;
    this.#lines.push(`${this.#now().toFixed(2).padStart(12)}  ${text}`);
    if (this.#lines.length > 2 * linesKept) this.#lines = this.#lines.slice(-linesKept);
  }

  violate(rule: string, detail: string): void {
    this.count("violations");
    this.note(`VIOLATION ${rule}: ${detail}`);
    if (this.violations.length < 20) this.violations.push({ rule, detail, at: this.#now() });
  }

  /** Equal for equal runs of one seed. */
  get fingerprint(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** The last lines. */
  lines(count: number): string[] {
    return this.#lines.slice(-count);
  }
}
