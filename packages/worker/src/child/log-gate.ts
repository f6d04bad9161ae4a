/**
 * Between what an attempt prints and the pipe. A function that runs again from the top prints again what an earlier dispatch
 * has printed: lines are held until it is clear which they are.
 *
 * G1: what is held is dropped when a recorded result is delivered: the dispatch that recorded it came by the same lines.
 * G2: what is held is sent when the function does something that is not recorded, and when it ends.
 */
import { limits } from "../limits.ts";
import type { FromChild } from "../pool/child-message.ts";
import type { ParentChannel } from "./channel.ts";

export class LogGate {
  readonly #channel: Pick<ParentChannel, "post">;
  readonly #held: FromChild[] = [];
  #heldCharacters = 0;
  #isHolding = false;

  constructor(channel: Pick<ParentChannel, "post">) {
    this.#channel = channel;
  }

  post(message: FromChild): void {
    if (!this.#isHolding || !isShown(message)) return this.#channel.post(message);
    this.#held.push(message);
    this.#heldCharacters += "text" in message ? message.text.length : 0;
    if (this.#heldCharacters > limits.logKeptBytesMax || this.#held.length > limits.heldLinesMax) this.open();
  }

  hold(): void {
    this.#isHolding = true;
  }

  drop(): void {
    this.#held.length = 0;
    this.#heldCharacters = 0;
  }

  open(): void {
    this.#isHolding = false;
    for (const message of this.#held) this.#channel.post(message);
    this.drop();
  }
}

function isShown(message: FromChild): message is Extract<FromChild, { kind: "output" | "log" | "progress" }> {
  return message.kind === "output" || message.kind === "log" || message.kind === "progress";
}
