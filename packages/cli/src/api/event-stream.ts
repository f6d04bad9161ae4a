/** Reads `text/event-stream`: the data of each event, comments and other fields passed over. */

/** One event's data may be as large as a run's snapshot; more is no server of ours. */
const eventCharactersMax = 256 * 1024 * 1024;

export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let size = 0;
  let data: string[] = [];
  for await (const chunk of body) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    for (const [index, part] of lines.entries()) {
      size += part.length;
      if (size > eventCharactersMax) throw new Error("an event is larger than any that a server sends");
      if (index === lines.length - 1) {
        rest.push(part);
        continue;
      }
      const line = `${rest.join("")}${part}`.replace(/\r$/, "");
      rest = [];
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
        size = 0;
      } else if (line.startsWith("data:")) {
        data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      }
    }
  }
}
