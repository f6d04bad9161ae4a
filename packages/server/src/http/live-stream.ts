/**
 * `GET /live`: several topics over one connection, so that a page with ten parts, or ten tabs, cost one. Each event's data is
 * `{ topic, data }`.
 *
 * Z1: `log` tells entries of the event log as `GET /events/follow` does: ids are positions, by which a reader that comes again
 *     goes on without a gap. `project`, `run:ID` and `run-logs:ID` begin with a snapshot each time.
 * Z2: a topic that can't be followed is told of as `{ topic, refused }`; the others go on.
 */
import { MillraceError } from "@millrace/core";
import type { ActivityEvent, LiveEvent, Operations } from "@millrace/protocol";
import type { FastifyReply } from "fastify";
import type { ApiContext } from "./api-context.ts";
import { EventChannel, type Sink } from "./event-channel.ts";
import { topicsMax } from "./limits.ts";
import { LogFeed, startOf } from "./log-feed.ts";
import { problemOf } from "./problem.ts";
import { projectOf } from "./project-routes.ts";
import type { ApiRequest } from "./route.ts";
import { RunFeed } from "./run-feed.ts";

export async function streamLive(
  context: ApiContext,
  request: ApiRequest<Operations["watch"]>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const topics = topicsOf(request);
  EventChannel.requireRoom(context);
  const after = topics.includes("log") ? await startOf(context, request) : 0;
  const channel = new EventChannel(context, reply);
  for (const topic of topics) {
    const sink = new TopicSink(channel, topic);
    if (topic === "log") followLog(context, channel, sink, after);
    else if (topic === "activity") followActivity(context, channel, sink);
    else if (topic === "project") followProject(context, channel, sink);
    else void followRun(context, channel, sink, topic);
  }
  return reply;
}

function topicsOf(request: ApiRequest<Operations["watch"]>): readonly string[] {
  const topics = [...new Set(request.query.topics.split(","))];
  if (topics.length > topicsMax)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"topics" has ${topics.length} of them; ${topicsMax} may be followed at once.`,
    });
  const unknown = topics.find((topic) => !/^(?:log|activity|project|run:.+|run-logs:.+)$/.test(topic));
  if (unknown === undefined) return topics;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `"topics" has ${JSON.stringify(unknown.slice(0, 100))}: they are log, activity, project, run:ID and run-logs:ID, with commas between them.`,
  });
}

function followLog(context: ApiContext, channel: EventChannel, sink: Sink, after: number): void {
  const filter = { type: undefined, subject: undefined, source: undefined, onlyInvalid: false };
  const feed = new LogFeed({ context, filter, after, sink });
  channel.onClosed(() => feed.close());
  feed.begin();
}

function followActivity({ activity, live }: ApiContext, channel: EventChannel, sink: Sink): void {
  const unlisten = activity.listen((pipelines) => {
    // Whoever does not read is told the next time: it says no more than that something changed.
    if (!sink.isFull) sink.send((pipelines === undefined ? {} : { pipelines }) satisfies ActivityEvent);
  });
  const unwatch = live.watchAll();
  channel.onClosed(() => {
    unlisten();
    unwatch();
  });
}

/** Begins with what is so now. */
function followProject({ project }: ApiContext, channel: EventChannel, sink: TopicSink): void {
  try {
    const source = projectOf(project);
    channel.onClosed(source.listen((view) => sink.send(view)));
    sink.send(source.view());
  } catch (error) {
    channel.send({ topic: "project", refused: problemOf(error) } satisfies LiveEvent);
  }
}

async function followRun(
  context: ApiContext,
  channel: EventChannel,
  sink: TopicSink,
  topic: string,
): Promise<void> {
  const at = topic.indexOf(":");
  const feed = new RunFeed({ context, id: topic.slice(at + 1), withLogs: topic.startsWith("run-logs:") });
  try {
    await feed.prepare();
  } catch (error) {
    const problem = problemOf(error);
    channel.send({ topic, refused: problem } satisfies LiveEvent);
    return;
  }
  channel.onClosed(() => feed.close());
  feed.begin(sink);
}

/** A topic's part of the connection: its end is not the connection's. */
class TopicSink implements Sink {
  readonly #channel: EventChannel;
  readonly #topic: string;

  constructor(channel: EventChannel, topic: string) {
    this.#channel = channel;
    this.#topic = topic;
  }

  send(data: unknown, id?: number): void {
    this.#channel.send({ topic: this.#topic, data } satisfies LiveEvent, id);
  }

  place(id: number): void {
    this.#channel.place(id);
  }

  get isFull(): boolean {
    return this.#channel.isFull;
  }

  drained(): Promise<void> {
    return this.#channel.drained();
  }

  end(): void {}

  cut(): void {
    this.#channel.cut();
  }
}
