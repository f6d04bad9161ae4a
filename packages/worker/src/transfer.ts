/** HTTP beside the WebSocket: bundles and large values, with the same token. */
import { openAsBlob } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { cloudEventType, errorCodeOf, MillraceError, type CloudEvent } from "@millrace/core";
import { apiPrefix, type Problem } from "@millrace/protocol";
import { limits } from "./limits.ts";
import type { MemberPage } from "./pool/child-message.ts";
import type { WorkerSettings } from "./options.ts";

export class Transfer {
  readonly #settings: WorkerSettings;
  readonly #stopping: AbortSignal;

  constructor(settings: WorkerSettings, stopping: AbortSignal) {
    this.#settings = settings;
    this.#stopping = stopping;
  }

  /** Repeats what may come right (no connection, 5xx, 408, 429) for a minute; gives any other answer back. */
  async get(path: string): Promise<Response> {
    return this.#repeat(path, () =>
      fetch(this.#address(path), { headers: this.#headers(), signal: this.#stopping }),
    );
  }

  async putFile(path: string, file: string): Promise<void> {
    const response = await this.#repeat(path, async () =>
      fetch(this.#address(path), {
        method: "PUT",
        headers: { ...this.#headers(), "content-type": "application/octet-stream" },
        body: await openAsBlob(file),
        signal: this.#stopping,
      }),
    );
    if (!response.ok) throw await unexpectedAnswer("PUT", path, response);
    await response.body?.cancel();
  }

  /** Records an event; a repeat of it is as good. Throws what the server refuses it with. */
  async emit(event: CloudEvent): Promise<void> {
    const path = "/events";
    const response = await this.#repeat(path, () =>
      fetch(this.#address(path), {
        method: "POST",
        headers: { ...this.#headers(), "content-type": cloudEventType },
        body: JSON.stringify(event),
        signal: this.#stopping,
      }),
    );
    if (response.ok) {
      await response.body?.cancel();
      return;
    }
    const { code, detail } = (await response.json().catch(() => ({}))) as Partial<Problem>;
    const known = errorCodeOf({ code });
    if (known === undefined) throw failedAnswer("POST", path, response.status, `HTTP ${response.status}`);
    throw new MillraceError(known, { message: detail ?? "The server refused the event." });
  }

  /** Members of the firing that started a run. Throws what the server refuses it with. */
  async members(
    runId: string,
    { operand, cursor }: { readonly operand: string | undefined; readonly cursor: string | undefined },
  ): Promise<MemberPage> {
    const query = new URLSearchParams({
      ...(operand === undefined ? {} : { operand }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const path = `/runs/${encodeURIComponent(runId)}/firing/members?${query.toString()}`;
    const response = await this.get(path);
    if (!response.ok) throw await unexpectedAnswer("GET", path, response);
    return (await response.json()) as MemberPage;
  }

  #address(path: string): string {
    return `${this.#settings.httpUrl}${apiPrefix}${path}`;
  }

  #headers(): { [name: string]: string } {
    return this.#settings.token === undefined ? {} : { authorization: `Bearer ${this.#settings.token}` };
  }

  async #repeat(path: string, request: () => Promise<Response>): Promise<Response> {
    const until = performance.now() + limits.transferMs;
    for (let round = 0; ; round += 1) {
      let problem: string;
      try {
        const response = await request();
        if (response.status < 500 && response.status !== 408 && response.status !== 429) return response;
        problem = await answerOf(response);
        if (performance.now() > until) throw failedAnswer("request", path, response.status, problem);
      } catch (error) {
        if (this.#stopping.aborted || performance.now() > until) throw error;
        problem = error instanceof Error ? error.message : String(error);
      }
      this.#settings.onEvent({ kind: "transfer_failed", what: path, message: problem });
      const waitMs = Math.min(limits.reconnectMaxMs, limits.reconnectBaseMs * 2 ** round);
      await delay(Math.random() * waitMs, undefined, { signal: this.#stopping });
    }
  }
}

export async function unexpectedAnswer(
  method: string,
  path: string,
  response: Response,
): Promise<MillraceError> {
  return failedAnswer(method, path, response.status, await answerOf(response));
}

/** The status, and what a problem of RFC 9457 says. */
async function answerOf(response: Response): Promise<string> {
  const status = `HTTP ${response.status}`;
  try {
    const { detail } = (await response.json()) as { readonly detail?: unknown };
    return typeof detail === "string" ? `${status}: ${detail}` : status;
  } catch {
    // No problem: something between us and the server answered.
    return status;
  }
}

function failedAnswer(method: string, path: string, status: number, problem: string): MillraceError {
  const unknown = status === 404 && path.startsWith("/bundles/");
  return new MillraceError(unknown ? "MILLRACE_BUNDLE_UNKNOWN" : "MILLRACE_INTERNAL", {
    message: `${method} ${path} was answered with ${problem}`,
    fields: { path, status },
  });
}
