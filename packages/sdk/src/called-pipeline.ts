/** A pipeline as those see it who call it. */

declare const inputType: unique symbol;
declare const outputType: unique symbol;

export interface CalledPipeline<In = unknown, Out = unknown> {
  readonly name: string;
  /** Types alone: nothing is there. */
  readonly [inputType]?: (input: In) => void;
  readonly [outputType]?: Out;
}
