/** Every route of the API's document, and requests below the level at which clients tidy them. */
import { connect } from "node:net";
import type { ServerFixture } from "../server-fixture.ts";

export interface Raw {
  /** 0: closed without an answer. */
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  /** How many answers came. */
  readonly answers: number;
}

const patienceMs = 5_000;

/** Sends these bytes as they are, and reads until the server closes or `idleMs` pass without a byte. */
export function exchangeRaw(url: string, bytes: string | Buffer, idleMs = 150): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const parts: Buffer[] = [];
    let idle: NodeJS.Timeout | undefined;
    const patience = setTimeout(() => socket.destroy(), patienceMs);
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (part) => {
      parts.push(part);
      clearTimeout(idle);
      idle = setTimeout(() => socket.destroy(), idleMs);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => {
      clearTimeout(patience);
      clearTimeout(idle);
      resolve(readAnswer(Buffer.concat(parts).toString("latin1")));
    });
  });
}

function readAnswer(text: string): Raw {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(first)?.[1] ?? 0);
  return {
    status,
    headers,
    body: rest.join("\r\n\r\n"),
    answers: [...text.matchAll(/^HTTP\/1\.1 [2-5]\d\d/gm)].length,
  };
}

/** A plain request to the server's own address. */
export function send(
  url: string,
  method: string,
  path: string,
  { headers = {}, body = "" }: { readonly headers?: { [name: string]: string }; readonly body?: string } = {},
): Promise<Raw> {
  const all = {
    host: new URL(url).host,
    connection: "close",
    ...(body === ""
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return exchangeRaw(url, `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: { readonly [mediaType: string]: unknown } };
}

export interface Route {
  readonly method: string;
  /** With its parts filled in. */
  readonly path: string;
  readonly template: string;
  readonly query: readonly string[];
  readonly mediaTypes: readonly string[];
}

/** As the document tells them; `parts`: what stands for `{name}`, by the name, or by the path up to it where that is special. */
export async function routesOf(
  fixture: Pick<ServerFixture, "call">,
  parts: { readonly [name: string]: string },
): Promise<Route[]> {
  const { body } = await fixture.call("GET", "/openapi.json");
  const { paths } = body as { paths: { [path: string]: { [method: string]: Operation } } };
  return Object.entries(paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      template,
      path: template.replaceAll(/\{(\w+)\}/g, (_all, name: string, at: number) => {
        const special = parts[`${template.slice(0, at)}{${name}}`] ?? parts[name];
        return encodeURIComponent(special ?? "none");
      }),
      query: parameters.flatMap(({ name, in: place }) => (place === "query" ? name : [])),
      mediaTypes: Object.keys(requestBody?.content ?? {}),
    })),
  );
}

/** Answers that stay open. */
export function isStream({ template }: Route): boolean {
  return /\/(?:live|follow|\{id\}\/events)$/.test(template);
}
