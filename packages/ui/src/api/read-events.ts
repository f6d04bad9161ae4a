/** Reads `text/event-stream`: ids and data; other fields are passed over. An event without data may carry an id. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly data: string | undefined;
}

export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  let id: string | undefined;
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (id !== undefined || data.length > 0)
            yield { id, data: data.length === 0 ? undefined : data.join("\n") };
          id = undefined;
          data = [];
        } else if (line.startsWith("data:")) data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
        else if (line.startsWith("id: ")) id = line.slice(4);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
