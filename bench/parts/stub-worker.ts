/** Speaks the worker protocol over a real WebSocket and answers each dispatch at once, without running anything. */
import {
  apiPrefix,
  type Hello,
  protocolVersion,
  type Results,
  type ServerMessage,
  type WorkerMessage,
} from "@millrace/protocol";
import { WebSocket } from "ws";
import { answerParent } from "./child.ts";

let socket: WebSocket | undefined;

function connect(url: string, slots: number): Promise<void> {
  const opened = new WebSocket(`${url.replace("http", "ws")}${apiPrefix}/worker`, {
    perMessageDeflate: false,
  });
  socket = opened;
  const send = (message: WorkerMessage): void => opened.send(JSON.stringify(message));
  const hello: Hello = {
    kind: "hello",
    protocol: protocolVersion,
    workerId: `stub-${process.pid}`,
    name: "stub",
    version: "0.1.0",
    queues: ["default"],
    slots,
    labels: {},
    platform: `${process.platform}-${process.arch}`,
    running: [],
  };
  opened.on("open", () => send(hello));
  return new Promise((resolve, reject) => {
    opened.on("error", reject);
    opened.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString("utf8")) as ServerMessage;
      if (message.kind === "dispatches") send(answersTo(message.dispatches));
      if (message.kind !== "welcome") return;
      setInterval(() => send({ kind: "heartbeat" }), message.heartbeatMs).unref();
      resolve();
    });
  });
}

/** A list is what `list` makes; numbers are what the other tasks pass on. */
function answersTo(dispatches: Extract<ServerMessage, { kind: "dispatches" }>["dispatches"]): Results {
  const now = Date.now();
  return {
    kind: "results",
    results: dispatches.map(({ token, input }) => ({
      token,
      outcome: {
        kind: "succeeded",
        output: { value: token.node === "list" && "value" in input ? listOf(Number(input.value)) : 1 },
      },
      times: { startedAt: now, endedAt: now },
    })),
  };
}

function listOf(count: number): number[] {
  return Array.from({ length: count }, () => 1);
}

answerParent(
  async (question) => connect(String(question["url"]), Number(question["slots"])),
  async () => socket?.terminate(),
);
