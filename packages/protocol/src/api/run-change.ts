/** What a rerun or a mark of a run would affect, in the API. */
import { about, integer, list, mapOf, named, object, text, type TypeOf } from "../shape.ts";

export const affectedNodeView = named(
  "AffectedNodeView",
  object(
    {
      node: text,
      taskRuns: integer(0),
      states: about("How many are in which state now.", mapOf(integer(0))),
    },
    { items: about("The first ones of a node with items.", list(text)) },
  ),
);
export type AffectedNodeView = TypeOf<typeof affectedNodeView>;

export const runChangePreview = about(
  "What `POST /runs/:id/rerun` and `/mark` answer with `preview: true`: what they would affect; nothing is changed.",
  named(
    "RunChangePreview",
    object(
      {
        run: text,
        again: about(
          "Starts afresh, or is decided again, in the graph's order; and how many task runs that are.",
          list(affectedNodeView),
        ),
        againCount: integer(0),
        stays: about("Keeps its state and its output.", list(affectedNodeView)),
        staysCount: integer(0),
        added: about("Nodes that begin for the first time.", list(text)),
        gone: about("Nodes that the newer code does not have any more.", list(text)),
      },
      {
        generation: about("The generation that would be made; absent where the run goes on.", integer(0)),
        newBundle: about("The code that it would have, where that is another one than now.", text),
        marked: about("Of a mark: what would get its state.", object({ node: text, item: text })),
      },
    ),
  ),
);
export type RunChangePreview = TypeOf<typeof runChangePreview>;
