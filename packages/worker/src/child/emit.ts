/**
 * `ctx.emit`: what an attempt emits. Events go with its success, or at once when they are asked to.
 *
 * E1: an event's name is made of where it was emitted and how many of its type came before: a repeat of the attempt names
 *     its events alike, so they are recorded once.
 */
import {
  emittedDataMax,
  emittedEventsMax,
  emittedTypeMax,
  errorCodeOf,
  findJsonFault,
  formatPath,
  MillraceError,
  parseCloudEvent,
  requireForeign,
  taskSource,
  type CloudEvent,
  type Json,
} from "@millrace/core";
import type { EmittedEvent, EmitOptions } from "@millrace/sdk";
import type { EmitError, FromChild, RunAttempt } from "../pool/child-message.ts";

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Answers to what was to be recorded at once. One per process: an answer may come after its attempt. */
export class EmitAnswers {
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;

  ask(post: (number: number) => void): Promise<void> {
    const number = (this.#number += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      post(number);
    });
  }

  answered(number: number, error: EmitError | undefined): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(new MillraceError(error.code, { message: error.message }));
  }
}

/** The events of one attempt. */
export class Emitter {
  readonly #run: RunAttempt;
  readonly #answers: EmitAnswers;
  readonly #post: (message: FromChild) => void;
  readonly #occurrences = new Map<string, number>();
  /** What goes with the attempt's success. */
  readonly events: CloudEvent[] = [];

  constructor(run: RunAttempt, answers: EmitAnswers, post: (message: FromChild) => void) {
    this.#run = run;
    this.#answers = answers;
    this.#post = post;
  }

  async emit(given: EmittedEvent, options: EmitOptions = {}): Promise<void> {
    return this.put(this.#cloudEvent(given), { ...options, isNamed: given.id !== undefined });
  }

  /** The id of the next event of this name. */
  nextId(name: string): string {
    const { runId, item, generation } = this.#run;
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    return [runId, ...(item === "" ? [] : [item]), `g${generation}`, name, occurrence].join("/");
  }

  // oxlint-disable-next-line typescript/require-await -- what it throws is the promise's
  async put(event: CloudEvent, options: EmitOptions & { readonly isNamed?: boolean }): Promise<void> {
    if (options.now) return this.#emitNow(event, options.isNamed ?? false);
    if (this.events.length === emittedEventsMax) {
      throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
        message: `An attempt emits at most ${emittedEventsMax} events with its success.`,
        advice: "Emit fewer, with more data each, or use { now: true }.",
      });
    }
    const size = JSON.stringify(event.data ?? null).length;
    if (size > emittedDataMax) {
      throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
        message: `The data of an event of type ${event.type} has ${size} characters as JSON; with the attempt's success go ${emittedDataMax}.`,
        advice:
          "Put the data into storage and its address into the event, or use { now: true }, which takes 1 MB.",
      });
    }
    this.events.push(event);
  }

  /** An attempt before this one may have emitted it with other data: the first one counts. */
  async #emitNow(event: CloudEvent, isNamed: boolean): Promise<void> {
    try {
      await this.#answers.ask((number) => this.#post({ kind: "emit", number, event }));
    } catch (error) {
      if (isNamed || errorCodeOf(error) !== "MILLRACE_EVENT_CONFLICT") throw error;
    }
  }

  #cloudEvent(given: EmittedEvent): CloudEvent {
    const { data, subject, time } = given;
    const type = typeof given.type === "string" ? given.type : given.type.type;
    const fault = data === undefined ? undefined : findJsonFault(data);
    if (fault) {
      const path = formatPath(fault.path);
      throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
        message: `The data of an event of type ${type} can't be carried by JSON: ${path} is ${fault.found}.`,
        fields: { path, found: fault.found },
      });
    }
    const { pipeline, node } = this.#run;
    const event: CloudEvent = {
      specversion: "1.0",
      id: given.id ?? this.#idOf(type),
      source: given.source ?? taskSource(pipeline, node),
      type,
      ...(subject === undefined ? {} : { subject }),
      ...(time === undefined ? {} : { time: time instanceof Date ? time.toISOString() : time }),
      ...(data === undefined ? {} : { data: JSON.parse(JSON.stringify(data)) as Json }),
    };
    requireForeign(parseCloudEvent(event as unknown as Json));
    return event;
  }

  #idOf(type: string): string {
    if (type.length > emittedTypeMax) {
      throw new MillraceError("MILLRACE_EVENT_INVALID", {
        message: `The type of an event that a task emits has at most ${emittedTypeMax} characters, or the event an id of its own.`,
        fields: { path: "/type" },
      });
    }
    return this.nextId(type);
  }
}
