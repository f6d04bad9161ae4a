/**
 * `ctx.emit`: what an attempt emits. Events go with its success, or at once when they are asked to.
 *
 * E1: an event's name is made of where it was emitted and how many of its type came before there: a repeat of the attempt
 *     names its events alike, so they are recorded once. A step is a place of its own, for a repeat may leave it out.
 */
import { createHash } from "node:crypto";
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
import type { StepName } from "@millrace/protocol";
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

  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  answered(number: number, error: EmitError | undefined): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(new MillraceError(error.code, { message: error.message }));
  }
}

/** What is emitted in one place: in a step, or in the attempt outside its steps. */
export class EmitPlace {
  /** What goes with the step, or the attempt's success. */
  readonly events: CloudEvent[] = [];
  readonly #prefix: string;
  readonly #occurrences = new Map<string, number>();

  constructor(run: RunAttempt, step?: StepName) {
    const { runId, item, generation } = run;
    const place = [runId, ...(item === "" ? [] : [item]), `g${generation}`].join("/");
    this.#prefix = step ? `${place}/${placeOf(step)}` : place;
  }

  nextId(type: string): string {
    const occurrence = (this.#occurrences.get(type) ?? 0) + 1;
    this.#occurrences.set(type, occurrence);
    return `${this.#prefix}/${type}/${occurrence}`;
  }
}

/** A long name would leave no room for the type. */
function placeOf({ name, occurrence }: StepName): string {
  const short = name.length <= stepShownMax;
  return `${short ? name : createHash("sha256").update(name).digest("hex").slice(0, stepShownMax)}.${occurrence}`;
}

const stepShownMax = 24;

/** The events of one attempt. */
export class Emitter {
  readonly #run: RunAttempt;
  readonly #answers: EmitAnswers;
  readonly #post: (message: FromChild) => void;
  readonly #outside: EmitPlace;

  constructor(run: RunAttempt, answers: EmitAnswers, post: (message: FromChild) => void) {
    this.#run = run;
    this.#answers = answers;
    this.#post = post;
    this.#outside = new EmitPlace(run);
  }

  /** What goes with the attempt's success. */
  get events(): readonly CloudEvent[] {
    return this.#outside.events;
  }

  /** `step`: the place of the step that emits it. */
  async emit(given: EmittedEvent, options: EmitOptions = {}, step?: EmitPlace): Promise<void> {
    const event = this.#cloudEvent(given, step ?? this.#outside);
    return this.put(event, { ...options, isNamed: given.id !== undefined }, step);
  }

  /** The id of the next telling of this name, where it is told. */
  nextId(name: string, step?: EmitPlace): string {
    return (step ?? this.#outside).nextId(name);
  }

  // oxlint-disable-next-line typescript/require-await -- what it throws is the promise's
  async put(
    event: CloudEvent,
    { now, isNamed = false }: EmitOptions & { readonly isNamed?: boolean },
    step?: EmitPlace,
  ): Promise<void> {
    if (now) return this.#emitNow(event, isNamed);
    const place = step ?? this.#outside;
    const what = step ? "A step" : "An attempt";
    if (place.events.length === emittedEventsMax) {
      throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
        message: `${what} emits at most ${emittedEventsMax} events with its success.`,
        advice: "Emit fewer, with more data each, or use { now: true }.",
      });
    }
    const size = JSON.stringify(event.data ?? null).length;
    if (size > emittedDataMax) {
      throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
        message: `The data of an event of type ${event.type} has ${size} characters as JSON; with the success go ${emittedDataMax}.`,
        advice:
          "Put the data into storage and its address into the event, or use { now: true }, which takes 1 MB.",
      });
    }
    place.events.push(event);
  }

  /** An attempt before this one may have emitted it with other data: the first one counts. */
  async #emitNow(event: CloudEvent, isNamed: boolean): Promise<void> {
    try {
      await this.#answers.ask((number) => this.#post({ kind: "emit", number, event }));
    } catch (error) {
      if (isNamed || errorCodeOf(error) !== "MILLRACE_EVENT_CONFLICT") throw error;
    }
  }

  #cloudEvent(given: EmittedEvent, place: EmitPlace): CloudEvent {
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
      id: given.id ?? nextId(place, type),
      source: given.source ?? taskSource(pipeline, node),
      type,
      ...(subject === undefined ? {} : { subject }),
      ...(time === undefined ? {} : { time: time instanceof Date ? time.toISOString() : time }),
      ...(data === undefined ? {} : { data: JSON.parse(JSON.stringify(data)) as Json }),
    };
    requireForeign(parseCloudEvent(event as unknown as Json));
    return event;
  }
}

function nextId(place: EmitPlace, type: string): string {
  if (type.length <= emittedTypeMax) return place.nextId(type);
  throw new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `The type of an event that a task emits has at most ${emittedTypeMax} characters, or the event an id of its own.`,
    fields: { path: "/type" },
  });
}
