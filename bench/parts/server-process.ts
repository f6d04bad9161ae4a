/** A server in a process of its own. */
import { filesConnector } from "@millrace/connectors/files";
import { boundProcessMemory, type Server, type ServerOptions, startServer } from "@millrace/server";
import { answerParent } from "./child.ts";

// As the commands do.
const memory = boundProcessMemory();

let server: Server | undefined;

/** What operators should know goes to stderr. */
const log = {
  info: () => {},
  warn: (fields: object, message: string) => console.error("warn:", message, fields),
  error: (fields: object, message: string) => console.error("error:", message, fields),
};

function sourcesBelow(root: string | undefined): Pick<ServerOptions, "sources"> {
  return root === undefined ? {} : { sources: { connectors: [filesConnector()], root } };
}

/** What is held after a collection; the process itself may keep pages that its bursts needed. */
function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

answerParent(
  async (question) => {
    switch (question.kind) {
      case "start":
        server = await startServer({
          ...(question["options"] as Omit<ServerOptions, "log">),
          ...sourcesBelow(question["sourceRoot"] as string | undefined),
          log,
        });
        return server.url;
      case "collect":
        globalThis.gc?.();
        return heldBytes();
      default:
        throw new Error(`unknown question ${question.kind}`);
    }
  },
  async () => {
    memory.stop();
    await server?.stop();
  },
);
