import { nearestName, type SourceLocation } from "@millrace/core";
import { projectError } from "./project-error.ts";

/** What `millrace.config.ts` says, with defaults applied. */
export interface ProjectConfiguration {
  readonly project: string;
  /** Globs of pipeline files, relative to the root. */
  readonly include: readonly string[];
  /** Shared limits and their slots. */
  readonly pools: { readonly [name: string]: number };
  /** Queues beside `default`. */
  readonly queues: readonly string[];
  /** Packages that stay outside of the bundle although they have no native code. */
  readonly external: readonly string[];
  /** How triggers begin that a deploy brings. */
  readonly newTriggers: "active" | "paused";
}

export const includeDefault: readonly string[] = ["pipelines/**/*.ts"];

const knownKeys = ["project", "include", "pools", "queues", "external", "newTriggers"] as const;

/** Validates the default export of `file`. Exported for its tests. */
export function checkConfiguration(root: string, file: string, value: unknown): ProjectConfiguration {
  const refuse = refuser(root, file);
  if (value === undefined) {
    refuse("it has no default export", "Write `export default defineConfig({ project: … })`.");
  }
  if (!isRecord(value)) return refuse(`its default export is ${describe(value)}, not an object`);
  for (const key of Object.keys(value)) {
    if ((knownKeys as readonly string[]).includes(key)) continue;
    const near = nearestName(key, knownKeys);
    const advice =
      near === undefined ? `Known options: ${knownKeys.join(", ")}.` : `Did you mean \`${near}\`?`;
    refuse(`it has an unknown option \`${key}\``, advice);
  }
  return {
    project: checkProject(value["project"], refuse),
    include: checkStrings("include", value["include"] ?? includeDefault, refuse),
    pools: checkPools(value["pools"] ?? {}, refuse),
    queues: checkNames("queues", value["queues"] ?? [], refuse),
    external: checkStrings("external", value["external"] ?? [], refuse),
    newTriggers: checkNewTriggers(value["newTriggers"] ?? "active", refuse),
  };
}

type Refuse = (what: string, advice?: string) => never;

function refuser(root: string, file: string): Refuse {
  const source: SourceLocation = { file, line: 0 };
  return (what, advice) => {
    throw projectError(root, "MILLRACE_CONFIG_INVALID", {
      message: `\`${file}\` is not valid: ${what}.`,
      source,
      ...(advice === undefined ? {} : { advice }),
    });
  };
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const nameAdvice =
  "Names begin with a letter or digit and hold letters, digits, `.`, `_` and `-`, up to 128.";

function checkProject(value: unknown, refuse: Refuse): string {
  if (value === undefined) return refuse("`project` is missing", 'Name the project: `project: "shop"`.');
  if (typeof value !== "string") return refuse(`\`project\` is ${describe(value)}, not a string`);
  if (!namePattern.test(value)) return refuse(`\`project\` ${JSON.stringify(value)} is no name`, nameAdvice);
  return value;
}

function checkStrings(option: string, value: unknown, refuse: Refuse): string[] {
  if (!Array.isArray(value)) return refuse(`\`${option}\` is ${describe(value)}, not a list of strings`);
  return value.map((item: unknown, index) => {
    if (typeof item === "string" && item !== "") return item;
    return refuse(`\`${option}[${index}]\` is ${describe(item)}, not a string`);
  });
}

function checkNames(option: string, value: unknown, refuse: Refuse): string[] {
  const names = checkStrings(option, value, refuse);
  for (const name of names) {
    if (!namePattern.test(name))
      refuse(`\`${option}\` holds ${JSON.stringify(name)}, which is no name`, nameAdvice);
  }
  return [...new Set(names)];
}

function checkPools(value: unknown, refuse: Refuse): { [name: string]: number } {
  if (!isRecord(value)) return refuse(`\`pools\` is ${describe(value)}, not an object of names and slots`);
  const pools: { [name: string]: number } = {};
  for (const [name, slots] of Object.entries(value)) {
    if (!namePattern.test(name))
      refuse(`\`pools\` holds ${JSON.stringify(name)}, which is no name`, nameAdvice);
    if (typeof slots !== "number" || !Number.isSafeInteger(slots) || slots < 0) {
      return refuse(
        `\`pools.${name}\` is ${describe(slots)}, not a number of slots`,
        "Use a whole number from 0.",
      );
    }
    pools[name] = slots;
  }
  return pools;
}

function checkNewTriggers(value: unknown, refuse: Refuse): "active" | "paused" {
  if (value === "active" || value === "paused") return value;
  return refuse(`\`newTriggers\` is ${describe(value)}`, 'Use "active" or "paused".');
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return JSON.stringify(value) ?? typeof value;
}
