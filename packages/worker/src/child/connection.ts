import { MillraceError, type Json } from "@millrace/core";
import type { Connection } from "@millrace/sdk";

/** The environment variable that holds a connection: `MILLRACE_CONNECTION_<NAME>`, upper case, with `_` for what is no letter or digit. */
export function connectionVariable(name: string): string {
  return `MILLRACE_CONNECTION_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/** Reads a connection's text: a URL, or a JSON object. */
export function parseConnection(name: string, text: string): Connection {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return fromFields(name, readObject(name, trimmed));
  if (URL.canParse(trimmed)) return fromUrl(name, trimmed);
  throw new MillraceError("MILLRACE_CONNECTION_MISSING", {
    message: `${connectionVariable(name)} holds neither a URL nor a JSON object.`,
    advice: `Set ${connectionVariable(name)} on the worker to a URL such as postgres://user:password@host/database.`,
    fields: { connection: name, variable: connectionVariable(name) },
  });
}

function readObject(name: string, text: string): { readonly [field: string]: Json } {
  try {
    return JSON.parse(text) as { readonly [field: string]: Json };
  } catch (cause) {
    throw new MillraceError("MILLRACE_CONNECTION_MISSING", {
      message: `${connectionVariable(name)} begins like a JSON object and is none.`,
      fields: { connection: name, variable: connectionVariable(name) },
      // The parser's message quotes the text, which is secret.
      cause: cause instanceof SyntaxError ? undefined : cause,
    });
  }
}

function fromUrl(name: string, text: string): Connection {
  const url = new URL(text);
  const port = Number(url.port);
  const database = decodeURIComponent(url.pathname.replace(/^\//, ""));
  return {
    name,
    url: text,
    protocol: url.protocol.replace(/:$/, ""),
    ...(url.hostname === "" ? {} : { host: url.hostname }),
    ...(url.port === "" ? {} : { port }),
    ...(url.username === "" ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    ...(database === "" ? {} : { database }),
    extra: Object.fromEntries(url.searchParams),
  };
}

const textFields = ["url", "protocol", "host", "user", "password", "database"] as const;

function fromFields(name: string, fields: { readonly [field: string]: Json }): Connection {
  const known: { [field: string]: string | number } = {};
  for (const field of textFields) {
    const value = fields[field];
    if (typeof value === "string") known[field] = value;
  }
  const port = Number(fields["port"]);
  if (fields["port"] !== undefined && Number.isInteger(port)) known["port"] = port;
  const extra = Object.fromEntries(Object.entries(fields).filter(([field]) => !(field in known)));
  const base = known["url"] === undefined ? {} : fromUrl(name, String(known["url"]));
  const url = known["url"] ?? composeUrl(known);
  return { ...base, ...known, ...(url === undefined ? {} : { url }), name, extra } as Connection;
}

function composeUrl(known: { readonly [field: string]: string | number }): string | undefined {
  if (known["host"] === undefined) return undefined;
  const part = (field: string): string => encodeURIComponent(String(known[field]));
  const password = known["password"] === undefined ? "" : `:${part("password")}`;
  const user = known["user"] === undefined ? "" : `${part("user")}${password}@`;
  const port = known["port"] === undefined ? "" : `:${known["port"]}`;
  const database = known["database"] === undefined ? "" : `/${part("database")}`;
  return `${known["protocol"] ?? "tcp"}://${user}${known["host"]}${port}${database}`;
}
