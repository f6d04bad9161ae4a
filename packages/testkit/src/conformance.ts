/** One rule that every implementation of a port must pass; a test file runs it under its name. */
export interface ConformanceCase {
  /** A sentence of behaviour. */
  readonly name: string;
  /** Rejects when the rule is broken. */
  run(): Promise<void>;
}
