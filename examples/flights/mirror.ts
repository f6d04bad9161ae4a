/**
 * The mirror from which the airports' names come, inside this process: the demo needs no network. It announces the
 * file's length and, asked to, hangs up half way, as mirrors do: the failure that `fetch` then reports is a real one.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export class MirrorHungUp extends Error {
  override readonly name = "MirrorHungUp";
}

export async function downloadFromMirror(
  file: string,
  { hangsUp, signal }: { readonly hangsUp: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const bytes = await readFile(file);
  const server = createServer((_, response) => {
    response.writeHead(200, {
      "content-length": bytes.length,
      "content-type": "text/csv",
      connection: "close",
    });
    if (hangsUp) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
    else response.end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/airports.csv`, { signal });
    return await response.text();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new MirrorHungUp(`the mirror hung up before the ${bytes.length} bytes that it announced`, {
      cause,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
