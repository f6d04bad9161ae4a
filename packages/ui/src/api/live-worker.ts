/**
 * A worker that all tabs of this browser share: it holds the streams, so that ten tabs cost the server what one does.
 *
 * L1: a stream is open while a tab listens to its topic, and for a moment longer.
 * L2: a lost stream is opened again, after longer pauses each time, from where it stopped: entries of the log come once each;
 *     a run's stream begins anew with its snapshot.
 */
import type { ToTab, Topic, ToWorker } from "./live-messages.ts";
import { readEvents } from "./read-events.ts";

interface Stream {
  readonly topic: Topic;
  readonly tabs: Set<MessagePort>;
  readonly abort: AbortController;
  token: string | undefined;
  isOpen: boolean;
  lastId: string | undefined;
  /** A run's snapshot, for tabs that come later. */
  first: unknown;
  isEnded: boolean;
}

const lingerMs = 2_000;
const pauseMinMs = 500;
const pauseMaxMs = 15_000;
const streams = new Map<Topic, Stream>();

function tell(tabs: Iterable<MessagePort>, message: ToTab): void {
  for (const tab of tabs) tab.postMessage(message);
}

function addressOf(topic: Topic): string {
  if (topic === "log") return "/api/v1/events/follow";
  const [kind, id] = topic.split(":", 2);
  return `/api/v1/runs/${encodeURIComponent(id ?? "")}/events${kind === "run-logs" ? "?logs=true" : ""}`;
}

function subscribe(tab: MessagePort, topic: Topic, token: string | undefined): void {
  const known = streams.get(topic);
  const canJoin = known && (topic === "log" || !known.isEnded) && known.first === undefined;
  if (known && (canJoin || known.tabs.has(tab))) {
    known.tabs.add(tab);
    tell([tab], { kind: "link", topic, isOpen: known.isOpen });
    return;
  }
  // A run's snapshot is old for whoever comes later: the stream begins anew for all.
  const stream: Stream = {
    topic,
    tabs: new Set([...(known?.tabs ?? []), tab]),
    abort: new AbortController(),
    token,
    isOpen: false,
    lastId: undefined,
    first: undefined,
    isEnded: false,
  };
  known?.abort.abort();
  streams.set(topic, stream);
  void follow(stream);
}

function unsubscribe(tab: MessagePort, topic: Topic): void {
  const stream = streams.get(topic);
  if (!stream?.tabs.delete(tab) || stream.tabs.size > 0) return;
  setTimeout(() => {
    if (stream.tabs.size > 0) return;
    stream.abort.abort();
    if (streams.get(topic) === stream) streams.delete(topic);
  }, lingerMs);
}

async function follow(stream: Stream): Promise<void> {
  const { topic, abort } = stream;
  let pauseMs = pauseMinMs;
  while (!abort.signal.aborted && !stream.isEnded) {
    try {
      const response = await fetch(addressOf(topic), {
        signal: abort.signal,
        headers: {
          accept: "text/event-stream",
          ...(stream.token === undefined ? {} : { authorization: `Bearer ${stream.token}` }),
          ...(stream.lastId === undefined ? {} : { "last-event-id": stream.lastId }),
        },
      });
      if (!response.ok || !response.body) {
        tell(stream.tabs, { kind: "refused", topic, status: response.status });
        if (response.status < 500 && response.status !== 429) return void streams.delete(topic);
        throw new Error(`refused with ${response.status}`);
      }
      pauseMs = pauseMinMs;
      stream.isOpen = true;
      tell(stream.tabs, { kind: "link", topic, isOpen: true });
      for await (const { id, data } of readEvents(response.body)) {
        if (id !== undefined) stream.lastId = id;
        if (data !== undefined) take(stream, JSON.parse(data));
      }
    } catch {
      // The next round tries again.
    }
    if (abort.signal.aborted) return;
    stream.isOpen = false;
    tell(stream.tabs, { kind: "link", topic, isOpen: false });
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
    pauseMs = Math.min(pauseMaxMs, pauseMs * 2);
  }
}

function take(stream: Stream, data: unknown): void {
  const { kind } = data as { kind?: string };
  if (stream.topic !== "log" && kind === "snapshot") stream.first = true;
  if (stream.topic !== "log" && kind === "end") stream.isEnded = true;
  tell(stream.tabs, { kind: "data", topic: stream.topic, data });
}

interface SharedScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

(globalThis as unknown as SharedScope).onconnect = (event) => {
  const [tab] = event.ports;
  if (!tab) return;
  tab.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === "subscribe") subscribe(tab, data.topic, data.token);
    else if (data.kind === "unsubscribe") unsubscribe(tab, data.topic);
    else for (const topic of streams.keys()) unsubscribe(tab, topic);
  });
  tab.start();
};
