/**
 * The settings of a server, once for all: the command line makes its options of them, the API and the page show what they came
 * to and where from.
 */

import type { SettingView } from "./api/settings.ts";

export interface SettingDefinition {
  readonly summary: string;
  /** As the command line declares it: `--port <port>`. */
  readonly flag?: string;
  /** The environment variable that has it where no flag is given. */
  readonly variable?: string;
  /** What it is where nobody says; absent: nothing. */
  readonly fallback?: string;
  /** In words, where nobody says and the text is no value. */
  readonly otherwise?: string;
  /** `whole`: it is shown to nobody. `address`: what stands in it beside the address is not. */
  readonly secret?: "whole" | "address";
}

export const serverSettings = {
  host: {
    summary: "serve at this address; beyond loopback MILLRACE_TOKEN and --public-url are needed",
    flag: "--host <address>",
    fallback: "127.0.0.1",
  },
  port: { summary: "serve on this port", flag: "--port <port>", fallback: "4600" },
  "public-url": {
    summary: "the address by which browsers and workers reach it",
    flag: "--public-url <url>",
    otherwise: "the address that it serves at",
  },
  token: {
    summary: "what every request and worker must carry",
    variable: "MILLRACE_TOKEN",
    otherwise: "none: this machine alone reaches it",
    secret: "whole",
  },
  database: {
    summary: "a PostgreSQL of yours in place of the embedded one",
    variable: "DATABASE_URL",
    otherwise: "the embedded PostgreSQL of the state folder",
    secret: "address",
  },
  state: {
    summary: "the state folder; large values rest there, too",
    flag: "--state <folder>",
    variable: "MILLRACE_STATE",
    fallback: ".millrace",
  },
  "keep-days": {
    summary: "keep what has ended so many days",
    flag: "--keep-days <days>",
    fallback: "30",
  },
  "rate-limit": {
    summary: "answer one address so many requests a second",
    flag: "--rate-limit <requests>",
    fallback: "20000",
  },
} as const satisfies { readonly [name: string]: SettingDefinition };

export type SettingName = keyof typeof serverSettings;

export interface GivenSettings {
  readonly flags: { readonly [name in SettingName]?: string | number | undefined };
  readonly variables: { readonly [name: string]: string | undefined };
}

export interface Setting {
  readonly value: string | undefined;
  readonly source: "default" | "flag" | "variable";
  readonly from: string | undefined;
}

/** A flag goes before the variable, which goes before the default. A variable that is blank is not set. */
export function settingOf(name: SettingName, { flags, variables }: GivenSettings): Setting {
  const { flag, variable, fallback }: SettingDefinition = serverSettings[name];
  const flagged = flags[name];
  if (flagged !== undefined) return { value: String(flagged), source: "flag", from: flag?.split(" ", 1)[0] };
  const set = variable === undefined ? undefined : variables[variable]?.trim();
  if (set !== undefined && set !== "") return { value: set, source: "variable", from: variable };
  return { value: fallback, source: "default", from: undefined };
}

/** All of them, for people: nothing of it is secret. */
export function settingViews(given: GivenSettings): SettingView[] {
  return (Object.keys(serverSettings) as SettingName[]).map((name) => {
    const { summary, secret, otherwise }: SettingDefinition = serverSettings[name];
    const { value, source, from } = settingOf(name, given);
    const shown = value === undefined ? undefined : shownValue(value, secret);
    return {
      name,
      summary,
      ...(shown === undefined ? {} : { value: shown }),
      ...(value !== undefined && shown !== value ? { isSecret: true as const } : {}),
      source,
      ...(from === undefined ? {} : { from }),
      ...(value === undefined && otherwise !== undefined ? { note: otherwise } : {}),
    };
  });
}

/** Of a database's address neither the password nor its options, which may hold one, too. */
function shownValue(value: string, secret: SettingDefinition["secret"]): string | undefined {
  if (secret === undefined) return value;
  const url = secret === "address" && URL.canParse(value) ? new URL(value) : undefined;
  if (!url) return undefined;
  const user = url.username === "" ? "" : `${url.username}@`;
  return `${url.protocol}//${user}${url.host}${url.pathname}`;
}
