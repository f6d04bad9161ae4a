/**
 * Who may come in (the design, §10).
 *
 * A1: without a token the server listens on loopback only, and Host and Origin must name loopback: a page on another
 *     site that reaches us through a name that it owns is refused.
 * A2: on any other address a token and the public address are needed; every request and the workers' socket carry the
 *     token, and Host and Origin must be the public address's or loopback's.
 * A3: browsers say who lets them ask (Sec-Fetch-Site). Another site's page may lead here, by a link; nothing that it asks for
 *     behind its own address is answered, not even where the answer would be kept from it.
 * A4: workers are no browsers: their socket takes no Origin at all.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIPv6 } from "node:net";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { MillraceError } from "@millrace/core";

export interface AccessOptions {
  readonly host: string;
  readonly token: string | undefined;
  readonly publicUrl: string | undefined;
}

export class Access {
  readonly #token: Buffer | undefined;
  readonly #publicHost: string | undefined;

  constructor(options: AccessOptions) {
    if (!isLoopback(options.host)) requirePublic(options);
    this.#token = options.token === undefined ? undefined : digest(options.token);
    this.#publicHost = options.publicUrl === undefined ? undefined : publicHost(options.publicUrl);
  }

  /** Throws MILLRACE_FORBIDDEN_ORIGIN or MILLRACE_UNAUTHORIZED. */
  check(request: IncomingMessage): void {
    this.checkSite(request);
    if (this.#token !== undefined) this.#checkToken(this.#token, request.headers.authorization);
  }

  /** Of a connection that wants to be a worker's socket. Throws as `check`. */
  checkWorker(request: IncomingMessage): void {
    if (request.headers.origin !== undefined)
      throw new MillraceError("MILLRACE_FORBIDDEN_ORIGIN", {
        message: "The request has an Origin, as browsers send it: workers are none.",
      });
    this.check(request);
  }

  /** Who has no token may read the page itself. Throws MILLRACE_FORBIDDEN_ORIGIN. */
  checkSite({ headers, headersDistinct, method, url }: IncomingMessage): void {
    for (const host of headersDistinct["host"] ?? [""]) this.#checkHost("Host", host);
    // With a whole address in its first line, a request is for the server that it names there.
    if (url?.startsWith("/") !== true) this.#checkHost("address", hostOf(url ?? ""));
    if (headers.origin !== undefined) this.#checkHost("Origin", hostOf(headers.origin));
    if (!isOfOtherSite(headers) || isFollowedLink(headers, method)) return;
    throw new MillraceError("MILLRACE_FORBIDDEN_ORIGIN", {
      message: "The browser says that another site's page asks (Sec-Fetch-Site).",
    });
  }

  #checkHost(what: string, host: string): void {
    if (isLoopback(nameOf(host)) || (this.#publicHost !== undefined && host === this.#publicHost)) return;
    throw new MillraceError("MILLRACE_FORBIDDEN_ORIGIN", {
      message: `The request's ${what} names ${JSON.stringify(host.slice(0, 200))}, which is not this server's address.`,
    });
  }

  #checkToken(token: Buffer, authorization: string | undefined): void {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    // Digests are compared, so that neither content nor length shows in the time.
    if (given !== undefined && timingSafeEqual(digest(given), token)) return;
    throw new MillraceError("MILLRACE_UNAUTHORIZED", {
      message:
        given === undefined
          ? "The request has no bearer token."
          : "The request's token is not this server's.",
    });
  }
}

function requirePublic(options: AccessOptions): void {
  const missing: string[] = [];
  if (options.token === undefined || options.token === "") missing.push("a token (MILLRACE_TOKEN)");
  if (options.publicUrl === undefined) missing.push("its public address (`--public-url`)");
  if (missing.length === 0) return;
  throw new MillraceError("MILLRACE_CONFIG_INVALID", {
    message: `A server that listens on ${options.host} needs ${missing.join(" and ")}.`,
    advice: "Set what is missing, or listen on 127.0.0.1.",
  });
}

function publicHost(publicUrl: string): string {
  const url = URL.parse(publicUrl);
  if (url && /^https?:$/.test(url.protocol)) return url.host;
  throw new MillraceError("MILLRACE_CONFIG_INVALID", {
    message: `The public address ${JSON.stringify(publicUrl)} is not an http or https address.`,
    advice: "Set `--public-url` to an address such as https://millrace.example.com.",
  });
}

function isOfOtherSite({ "sec-fetch-site": site }: IncomingHttpHeaders): boolean {
  return site === "cross-site" || site === "same-site";
}

/** A person goes from there to here: nothing of it comes back to the other page. */
function isFollowedLink(headers: IncomingHttpHeaders, method: string | undefined): boolean {
  return (
    method === "GET" &&
    headers["sec-fetch-mode"] === "navigate" &&
    (headers["sec-fetch-dest"] === "document" || headers["sec-fetch-dest"] === undefined)
  );
}

/** An origin of `null` (a sandboxed page) has no host, so it is refused. */
function hostOf(origin: string): string {
  return URL.parse(origin)?.host ?? origin;
}

/** The name without the port. */
function nameOf(host: string): string {
  return URL.parse(`http://${host}`)?.hostname ?? "";
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (name === "localhost" || name === "::1") return true;
  return !isIPv6(name) && /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
