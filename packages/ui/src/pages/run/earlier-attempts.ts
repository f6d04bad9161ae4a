/** What comes live tells of a task run's last dispatch: those before it are kept as they were told. */
import type { AttemptView, TaskRunView } from "@millrace/protocol";

/** `now` stands for the end of a dispatch that is over and whose end was not told: until it is read again. */
export function withEarlierAttempts(
  known: TaskRunView | undefined,
  told: TaskRunView,
  now: number,
): TaskRunView {
  if (!known || known.attempts.length === 0) return told;
  const names = new Set(told.attempts.map(nameOf));
  const last = told.attempts.at(-1);
  const earlier = known.attempts.filter(
    (attempt) => !names.has(nameOf(attempt)) && (last === undefined || isBefore(attempt, last)),
  );
  if (earlier.length === 0) return told;
  const over = earlier.map((attempt) => {
    if (attempt.state !== "running") return attempt;
    // It went on with another attempt, or the same one once more.
    const isFailed = last === undefined || last.attempt > attempt.attempt;
    const state = isFailed ? ("failed" as const) : ("lost" as const);
    return { ...attempt, state, endedAt: new Date(now).toISOString() };
  });
  return { ...told, attempts: [...over, ...told.attempts] };
}

function isBefore(a: AttemptView, b: AttemptView): boolean {
  return a.generation < b.generation || (a.generation === b.generation && a.dispatch < b.dispatch);
}

function nameOf({ generation, dispatch }: AttemptView): string {
  return `${generation}/${dispatch}`;
}
