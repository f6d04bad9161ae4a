import { expect, test } from "vitest";
import { array, assert, asyncProperty, nat } from "fast-check";
import { readEvents, type StreamEvent } from "../src/api/read-events.ts";

const text = [
  ": still here\n\n",
  'id: 7\ndata: {"a":1}\n\n',
  "id: 9\n: still here\n\n",
  "data: äöü\ndata:two\n\n",
  "event: other\ndata: last\n\n",
  "data: cut off",
].join("");

const expected: StreamEvent[] = [
  { id: "7", data: '{"a":1}' },
  { id: "9", data: undefined },
  { id: undefined, data: "äöü\ntwo" },
  { id: undefined, data: "last" },
];

async function read(chunks: readonly Uint8Array[]): Promise<StreamEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const events: StreamEvent[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test("events are the same wherever their bytes are cut", async () => {
  const bytes = new TextEncoder().encode(text);
  await assert(
    asyncProperty(array(nat(bytes.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((to, index) => bytes.slice(places[index], to));
      expect(await read(chunks)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});
