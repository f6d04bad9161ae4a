/** What the database says to rows that break a constraint; `code` is PostgreSQL's. */
export class MemoryConstraintError extends Error {
  readonly code: string;
  readonly constraint: string;

  constructor(code: string, constraint: string) {
    super(`new rows violate "${constraint}"`);
    this.name = "MemoryConstraintError";
    this.code = code;
    this.constraint = constraint;
  }
}

export function isMemoryConstraintError(error: unknown): boolean {
  return error instanceof MemoryConstraintError;
}
