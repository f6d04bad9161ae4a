/** Pipelines that are too large to look at, and must be looked at all the same. */
import { group, pipeline, task } from "millrace";
import { z } from "zod";

const part = task("part", async (input: { of: number }) => input.of);
const list = task("list", async (input: { count: number }) =>
  Array.from({ length: input.count }, (_, at) => at),
);
const sum = task("sum", async (input: { of: number[] }) => input.of.length);

/** 5,000 nodes in 100 groups, 10 of which follow each other. */
export const wide = pipeline("wide", () => {
  for (let line = 0; line < 10; line += 1) {
    let before = part({ of: line }, { id: `begin-${line}` });
    for (let turn = 0; turn < 10; turn += 1)
      before = group(`g${line}-${turn}`, () => {
        const all = Array.from({ length: 49 }, (_, at) =>
          part({ of: at }, { id: `part-${at}`, after: [before] }),
        );
        return part({ of: 0 }, { id: "end", after: all });
      });
  }
});

export const many = pipeline(
  "many",
  { params: z.object({ items: z.number().int().default(10_000) }) },
  ({ params }) => {
    const items = list({ count: params.items });
    const parts = part.map(items, (of) => ({ of }));
    sum({ of: parts });
  },
);
