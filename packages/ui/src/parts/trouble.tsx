/** What a refusal says: what happened, and what to do. */
import { ApiError } from "../api/client.ts";

export function Trouble({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const problem = error instanceof ApiError ? error.problem : {};
  return (
    <div className="note bad" role="alert">
      <p>
        <strong>{error instanceof Error ? error.message : String(error)}</strong>
      </p>
      {problem.advice !== undefined && <p>{problem.advice}</p>}
      {problem.code !== undefined && <p className="quiet mono">{problem.code}</p>}
      {onRetry && (
        <p>
          <button type="button" className="button" onClick={onRetry}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}
