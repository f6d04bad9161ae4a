/** `ctx.firing`: the members of the run's firing, page by page, which the worker's main process fetches. */
import { MillraceError, type Json } from "@millrace/core";
import type { Fired, FiredEvent, FiringReader } from "@millrace/sdk";
import type { EmitError, MemberPage } from "../pool/child-message.ts";

interface Waiting {
  readonly resolve: (page: MemberPage) => void;
  readonly reject: (error: Error) => void;
}

export interface PageRequest {
  readonly operand?: string;
  readonly cursor?: string;
}

/** Answers to what was asked for. One per process: an answer may come after its attempt. */
export class PageAnswers {
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;

  ask(post: (number: number) => void): Promise<MemberPage> {
    const number = (this.#number += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      post(number);
    });
  }

  answered(number: number, page: MemberPage | EmitError): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if ("code" in page) waiting?.reject(new MillraceError(page.code, { message: page.message }));
    else waiting?.resolve(page);
  }
}

/** One page is at hand at a time, however many there are. */
export function firingReader(ask: (request: PageRequest) => Promise<MemberPage>): FiringReader {
  async function* members(operand?: string): AsyncGenerator<Fired> {
    const named = operand === undefined ? {} : { operand };
    let cursor: string | undefined;
    do {
      const page = await ask({ ...named, ...(cursor === undefined ? {} : { cursor }) });
      for (const { value } of page.items) yield value as unknown as Fired;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }
  return {
    members,
    async *events<Data>(operand?: string) {
      for await (const member of members(operand))
        if (isEvent(member)) yield member as FiredEvent<string, Data>;
    },
  };
}

function isEvent(member: Fired): member is FiredEvent {
  return (member as { readonly position?: Json }).position !== undefined;
}
