/** Shapes of how many events come from where, in `/api/v1`. */

export interface EventRatesView {
  readonly from: string;
  readonly stretchMs: number;
  /** Those with the most events first; of sources with none in this time nothing is said. */
  readonly sources: readonly EventRateView[];
  /** There are so many sources that not all were looked at. */
  readonly areMore?: true;
}

export interface EventRateView {
  /** `millrace`: what the server itself tells. */
  readonly source: string;
  /** In each stretch from `from` on; the last one has not ended. */
  readonly counts: readonly number[];
  /** Some of the counts are estimates: as the first events of the stretch came. */
  readonly isAbout?: true;
}
