/**
 * Plays the outside world: feeds that tell of flights and say that they are alive, a system that asks for a report, and a
 * person who answers. It tells what comes of it as it goes.
 *
 * D1: a next act begins when the one before has had its effect at the server, so that the story is the same on any machine.
 */
import { setTimeout as pause } from "node:timers/promises";
import { approve, openApprovals, readStarted } from "./observation.ts";
import type { Paper } from "./paper.ts";
import {
  brokenFeed,
  feeds,
  isFeedAlive,
  lateToldHour,
  replayedDays,
  type Replay,
  type ReplayHour,
} from "./replay.ts";
import type { DemoServer } from "./server.ts";
import { dayOf } from "./verdict.ts";

/** Between two hours of the replay. */
const paceMs = 160;
const heartbeatMs = 500;
const pollMs = 200;
/** An effect that has not come by then does not come. */
const patienceMs = 30_000;
const batchType = "application/cloudevents-batch+json";
/** Who answers. */
const person = "ann";
/** How many airports the webhook asks for. */
const airports = 20;

export class Director {
  readonly #server: DemoServer;
  readonly #paper: Paper;
  readonly #replay: Replay;
  readonly #signal: AbortSignal;
  readonly #asked = new Set<string>();
  /** What was told: begun and ended runs. */
  readonly #told = new Set<string>();
  #hour = "";
  #isFeedMissed = false;
  #isReportMade = false;
  readonly #published = new Set<string>();

  constructor(options: DirectorOptions) {
    this.#server = options.server;
    this.#paper = options.paper;
    this.#replay = options.replay;
    this.#signal = options.signal;
  }

  /** Ids of the approvals that were seen. */
  get asked(): readonly string[] {
    return [...this.#asked];
  }

  /** Resolves when all has had its effect, or something has not for long. */
  async play(): Promise<void> {
    const ended = new AbortController();
    const beating = this.#beat(AbortSignal.any([ended.signal, this.#signal]));
    // It is awaited below; until then its failure is nobody's.
    beating.catch(() => undefined);
    const [first, second] = replayedDays;
    try {
      for (const hour of this.#replay.hours) {
        if (hour.hour === `${second}T03`) await this.#askForReport();
        if (hour.hour === lateToldHour)
          await this.#until(`${first} to be published`, () => this.#published.has(`${first} 1`));
        await this.#playHour(hour);
      }
      this.#paper.news("All flights have been reported");
      await this.#until(`${second} to be published`, () => this.#published.has(`${second} 1`));
      await this.#until(`revision 2 of ${first}`, () => this.#published.has(`${first} 2`));
      await this.#until("the report", () => this.#isReportMade);
      await this.#until(`the silence of ${brokenFeed} to be noticed`, () => this.#isFeedMissed);
    } finally {
      ended.abort();
      await beating;
    }
  }

  async #playHour({ hour, events }: ReplayHour): Promise<void> {
    this.#hour = hour;
    const [, second] = replayedDays;
    const [day = "", clock = ""] = hour.split("T");
    if (clock === "00" || clock === "12")
      this.#paper.news(`${day} ${clock}:00: flights are reported as they happen`);
    if (!isFeedAlive(brokenFeed, hour) && clock === "12")
      this.#paper.news(`The feed ${brokenFeed} breaks off`);
    if (hour === lateToldHour) {
      const { data, time } = this.#replay.late;
      const { origin, destination } = data;
      this.#paper.news(
        `${second} ${clock}:00: the flight ${origin}-${destination} of ${clockOf(time)} comes late`,
      );
    }
    await this.#server.post("/events", events, batchType);
    await this.#tell();
    await pause(paceMs, undefined, { signal: this.#signal });
  }

  async #askForReport(): Promise<void> {
    await this.#server.deliver("reports", { airports });
    this.#paper.news(`A system asks for a report: POST /hooks/reports {"airports":${airports}}`);
  }

  /** Each feed says that it is there, until it breaks off. */
  async #beat(signal: AbortSignal): Promise<void> {
    for (let beat = 0; !signal.aborted; beat += 1) {
      const alive = feeds.filter((feed) => isFeedAlive(feed, this.#hour));
      const events = alive.map((feed) => ({
        specversion: "1.0",
        type: "feed.alive",
        source: `/feeds/${feed}`,
        id: `alive-${beat}`,
        subject: feed,
        data: {},
      }));
      await this.#server.post("/events", events, batchType);
      await pause(heartbeatMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Returns without it, and says so, when it does not come: the verdict then finds it missing. */
  async #until(what: string, isSo: () => boolean): Promise<void> {
    for (const end = Date.now() + patienceMs; Date.now() < end;) {
      await this.#tell();
      if (isSo()) return;
      await pause(pollMs, undefined, { signal: this.#signal });
    }
    this.#paper.news(`Waited for ${what} for ${patienceMs / 1_000} s: it did not come`);
  }

  /** What has happened at the server since the last time. */
  async #tell(): Promise<void> {
    for (const started of await readStarted(this.#server, "publish-days")) {
      const { day, revision, flights } = dayOf(started);
      const { id, state } = started.run;
      if (this.#isNew(`${id} begun`))
        this.#paper.news(
          revision > 1
            ? `${day} is re-opened as revision ${revision}: run ${id}`
            : `${day} is complete, all 24 hours: run ${id}`,
        );
      if (state === "succeeded" && this.#isNew(`${id} ended`)) {
        this.#published.add(`${day} ${revision}`);
        this.#paper.news(`${day} is published, revision ${revision}: ${flights} flights`);
      }
    }
    for (const { id, title } of await openApprovals(this.#server)) {
      if (this.#asked.has(id)) continue;
      this.#asked.add(id);
      this.#paper.news(`A person is asked: "${title}"`);
      await approve(this.#server, id, person);
      this.#paper.news(`The demo answers as ${person} would, by POST /api/v1/approvals/ID: yes`);
    }
    for (const { firing, run } of await readStarted(this.#server, "missing-feed")) {
      if (run.state !== "succeeded" || !this.#isNew(run.id)) continue;
      if (firing.key === brokenFeed) this.#isFeedMissed = true;
      this.#paper.news(`The feed ${firing.key} is missed, by its silence: run ${run.id}`);
    }
    for (const { run } of await readStarted(this.#server, "asked-report")) {
      if (this.#isNew(`${run.id} begun`))
        this.#paper.news(`The report over three million flights is begun: run ${run.id}`);
      if (run.endedAt === undefined || !this.#isNew(`${run.id} ended`)) continue;
      this.#isReportMade = run.state === "succeeded";
      this.#paper.news(`The report is ${this.#isReportMade ? "made" : `not made: ${run.state}`}`);
    }
  }

  #isNew(news: string): boolean {
    if (this.#told.has(news)) return false;
    this.#told.add(news);
    return true;
  }
}

interface DirectorOptions {
  readonly server: DemoServer;
  readonly paper: Paper;
  readonly replay: Replay;
  readonly signal: AbortSignal;
}

/** `2001-04-09 07:05`. */
function clockOf(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}
