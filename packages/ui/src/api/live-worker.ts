/**
 * A worker that all tabs of this browser share: it holds the one connection, so that ten tabs cost the server what one does.
 *
 * L1: the connection is for all topics that tabs listen to; a new one is made when a topic is added. A run's topic begins anew
 *     with its snapshot each time, for whoever listens.
 * L2: a lost connection is made again, after longer pauses each time; entries of the log go on where they stopped, once each.
 * L3: it ends a moment after the last tab has gone.
 */
import type { LiveEvent } from "@millrace/protocol";
import type { ToTab, Topic, ToWorker } from "./live-messages.ts";
import { readEvents } from "./read-events.ts";

/** Tabs subscribe to several topics, one after the other. */
const gatherMs = 15;
const lingerMs = 2_000;
const pauseMinMs = 500;
const pauseMaxMs = 15_000;

const tabs = new Map<Topic, Set<MessagePort>>();
let token: string | undefined;
let connection: AbortController | undefined;
let connected: ReadonlySet<Topic> = new Set();
let isOpen = false;
let lastId: string | undefined;
/** What was told of it last, for tabs that come later; null where nobody follows files. */
let project: unknown;
let gathering: ReturnType<typeof setTimeout> | undefined;
let lingering: ReturnType<typeof setTimeout> | undefined;

function tell(to: Iterable<MessagePort>, message: ToTab): void {
  for (const tab of to) tab.postMessage(message, []);
}

function everyTab(): Set<MessagePort> {
  return new Set([...tabs.values()].flatMap((of) => [...of]));
}

function subscribe(tab: MessagePort, topic: Topic, withToken: string | undefined): void {
  const known = tabs.get(topic);
  if (known) known.add(tab);
  else tabs.set(topic, new Set([tab]));
  clearTimeout(lingering);
  lingering = undefined;
  tell([tab], { kind: "link", isOpen });
  const isOn = !isAnewEachTime(topic) && connected.has(topic) && withToken === token;
  if (isOn && topic === "project" && project !== undefined)
    tell([tab], { kind: "data", topic, data: project });
  token = withToken;
  if (!isOn) gathering ??= setTimeout(connect, gatherMs);
}

function isAnewEachTime(topic: Topic): boolean {
  return topic.startsWith("run");
}

function unsubscribe(tab: MessagePort, topic: Topic): void {
  const of = tabs.get(topic);
  of?.delete(tab);
  if (of?.size === 0) tabs.delete(topic);
  if (tabs.size === 0) lingering ??= setTimeout(disconnect, lingerMs);
}

function disconnect(): void {
  lingering = undefined;
  connection?.abort();
  connection = undefined;
  connected = new Set();
  isOpen = false;
  lastId = undefined;
  project = undefined;
}

function connect(): void {
  gathering = undefined;
  connection?.abort();
  if (tabs.size === 0) return;
  connected = new Set(tabs.keys());
  connection = new AbortController();
  void follow(connection.signal);
}

async function follow(signal: AbortSignal): Promise<void> {
  let pauseMs = pauseMinMs;
  while (!signal.aborted) {
    try {
      // What nobody listens to any more is left out where it is connected anew.
      connected = new Set(tabs.keys());
      const topics = encodeURIComponent([...connected].join(","));
      const response = await fetch(`/api/v1/live?topics=${topics}`, {
        signal,
        headers: {
          accept: "text/event-stream",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(lastId === undefined ? {} : { "last-event-id": lastId }),
        },
      });
      // The log is another one than before: its database was made anew.
      if (response.status === 400) lastId = undefined;
      if (!response.ok || !response.body) throw new Error(`refused with ${response.status}`);
      pauseMs = pauseMinMs;
      setOpen(true);
      for await (const { id, data } of readEvents(response.body)) {
        if (id !== undefined) lastId = id;
        if (data !== undefined) take(JSON.parse(data) as LiveEvent);
      }
    } catch {
      // The next round tries again.
    }
    if (signal.aborted) return;
    setOpen(false);
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
    pauseMs = Math.min(pauseMaxMs, pauseMs * 2);
  }
}

function setOpen(value: boolean): void {
  if (value === isOpen) return;
  isOpen = value;
  tell(everyTab(), { kind: "link", isOpen });
}

function take(event: LiveEvent): void {
  if ("refused" in event) {
    // The server could not, for now: the connection is made again, after a pause.
    if (event.refused.status >= 500) throw new Error(event.refused.detail);
    if (event.topic === "project") takeProject(null);
    return;
  }
  if (event.topic === "project") return takeProject(event.data);
  const topic = event.topic as Topic;
  tell(tabs.get(topic) ?? [], { kind: "data", topic, data: event.data });
}

function takeProject(data: unknown): void {
  project = data;
  tell(tabs.get("project") ?? [], { kind: "data", topic: "project", data });
}

addEventListener("connect", (event) => {
  const [tab] = (event as MessageEvent).ports;
  if (!tab) return;
  tab.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === "subscribe") subscribe(tab, data.topic, data.token);
    else if (data.kind === "unsubscribe") unsubscribe(tab, data.topic);
    else for (const topic of tabs.keys()) unsubscribe(tab, topic);
  });
  tab.start();
});
