/**
 * The process-wide state that attempts share: environment, working directory, open resources. Each attempt gets it as
 * the first one did; putting it back is done after the result has left.
 */
export class ProcessState {
  readonly #environment: ReadonlyMap<string, string>;
  readonly #folder = process.cwd();
  #resources: ReadonlyMap<string, number> = new Map();

  constructor() {
    // For this process only: what it starts has its own.
    delete process.env["NODE_COMPILE_CACHE"];
    this.#environment = new Map(Object.entries(process.env).map(([name, value]) => [name, value ?? ""]));
  }

  /** What is open after the bundle's import belongs to the bundle. */
  remember(): void {
    this.#resources = countResources();
  }

  enter(environment: { readonly [name: string]: string }): void {
    for (const name in environment) process.env[name] = environment[name];
  }

  /** True when nothing is open beyond what was when the bundle had been loaded. */
  isQuiet(): boolean {
    for (const [kind, count] of countResources()) {
      if (count > (this.#resources.get(kind) ?? 0)) return false;
    }
    return true;
  }

  /** The same, in the middle of an attempt: what is due in this turn of the event loop counts too. */
  isIdle(): boolean {
    return !process.getActiveResourcesInfo().includes("Immediate") && this.isQuiet();
  }

  leave(): void {
    for (const name of Object.keys(process.env)) {
      if (!this.#environment.has(name)) delete process.env[name];
    }
    for (const [name, value] of this.#environment) {
      if (process.env[name] !== value) process.env[name] = value;
    }
    if (process.cwd() !== this.#folder) process.chdir(this.#folder);
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    // Ends within the turn by itself.
    if (kind === "Immediate" || kind === "CloseReq") continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
