import { expect, test } from "vitest";
import { readEventStream } from "../../src/api/event-stream.ts";

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

const stream =
  ': comment\n\nevent: node\nid: 1\ndata: {"a":"ü"}\n\ndata: one\r\ndata:two\r\n\r\nretry: 5\n\ndata: cut';

test.each([1, 3, 7, 1_000])("events are the same in chunks of %i bytes", async (size) => {
  const events: string[] = [];
  for await (const event of readEventStream(chunksOf(stream, size))) events.push(event);
  expect(events).toEqual(['{"a":"ü"}', "one\ntwo"]);
});
