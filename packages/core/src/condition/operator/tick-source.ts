/** The ticks of a schedule, as operators need them. */
export interface TickSource {
  /** The first tick after an instant. */
  next(after: number): number | undefined;
  /** The last tick before an instant. */
  previous(before: number): number | undefined;
  /** When a tick is told: later than itself where its schedule has jitter. */
  dueAt(tick: number): number;
  readonly text: string;
}
