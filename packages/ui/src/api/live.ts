/** Live data in a tab: topics come by the worker that all tabs share. */
import type { ToTab, Topic, ToWorker } from "./live-messages.ts";
import { token } from "./session.ts";

export interface LiveListener {
  readonly onData: (data: unknown) => void;
  readonly onLink?: (isOpen: boolean) => void;
}

const listeners = new Map<Topic, Set<LiveListener>>();
let port: MessagePort | undefined;

function worker(): MessagePort {
  if (port) return port;
  const shared = new SharedWorker(new URL("./live-worker.ts", import.meta.url), {
    type: "module",
    name: "millrace-live",
  });
  port = shared.port;
  port.addEventListener("message", ({ data: message }: MessageEvent<ToTab>) => {
    if (message.kind === "data")
      for (const listener of listeners.get(message.topic) ?? []) listener.onData(message.data);
    else for (const of of listeners.values()) for (const listener of of) listener.onLink?.(message.isOpen);
  });
  port.start();
  // A tab that the browser keeps for "back" listens again when it is shown.
  addEventListener("pagehide", () => say({ kind: "leave" }));
  addEventListener("pageshow", (event) => {
    if (event.persisted)
      for (const topic of listeners.keys()) say({ kind: "subscribe", topic, token: token() });
  });
  return port;
}

function say(message: ToWorker): void {
  worker().postMessage(message, []);
}

/** Listens until what it returns is called. */
export function listen(topic: Topic, listener: LiveListener): () => void {
  const known = listeners.get(topic);
  if (known) known.add(listener);
  else listeners.set(topic, new Set([listener]));
  say({ kind: "subscribe", topic, token: token() });
  return () => {
    const of = listeners.get(topic);
    of?.delete(listener);
    if (of?.size !== 0) return;
    listeners.delete(topic);
    say({ kind: "unsubscribe", topic });
  };
}
