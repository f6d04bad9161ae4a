/** From JSON to a filter, and back. The only way in: what it returns is bounded and has one form per meaning. */
import { canonicalJson } from "../../canonical-json.ts";
import { MillraceError } from "../../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../../json.ts";
import {
  whereDepthMax,
  wherePartsMax,
  wherePathStepCharactersMax,
  wherePathStepsMax,
  whereTextCharactersMax,
  whereValuesMax,
} from "../../limits.ts";
import { nearestName } from "../../nearest-name.ts";
import { parseWhereExpression } from "./cel.ts";
import { parseTime } from "./order.ts";
import { compileGlob, compilePattern } from "./pattern.ts";
import {
  whereRoots,
  type Where,
  type WhereOrderOperator,
  type WherePath,
  type WhereScalar,
  type WhereTextOperator,
  type WhereTime,
} from "./where.ts";

const operators = [
  "eq",
  "ne",
  "lt",
  "lte",
  "gt",
  "gte",
  "prefix",
  "suffix",
  "contains",
  "glob",
  "matches",
  "in",
  "exists",
  "has",
  "and",
  "or",
  "not",
  "cel",
] as const;

/** Validates a filter that came as JSON. `path` is where it stands in what the caller was given, for messages. */
export function parseWhere(json: unknown, path: Path = []): Where {
  return new WhereParser().parse(json, path, 1);
}

/** Validates a path into an event. */
export function parseWherePath(json: unknown, path: Path = []): WherePath {
  if (!Array.isArray(json) || json.length === 0)
    throw invalid(path, `expected a list of steps into the event, such as ["data", "country"]`, json);
  if (json.length > wherePathStepsMax)
    throw invalid(path, `the path has ${json.length} steps, and ${wherePathStepsMax} are allowed`);
  json.forEach((step: unknown, at) => {
    if (typeof step !== "string") throw invalid([...path, at], "expected a text", step);
    if (step.length > wherePathStepCharactersMax)
      throw invalid([...path, at], `a step has at most ${wherePathStepCharactersMax} characters`);
  });
  const steps = json as readonly string[];
  const root = steps[0] ?? "";
  if (!(whereRoots as readonly string[]).includes(root)) {
    const near = nearestName(root, whereRoots);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw invalid(
      [...path, 0],
      `an event has no "${root}"; a path begins with one of ${whereRoots.join(", ")}.${hint}`,
    );
  }
  if (root === "attributes" && steps.length === 1)
    throw invalid(path, "name one attribute after `attributes`");
  if (root !== "attributes" && root !== "data" && steps.length > 1)
    throw invalid([...path, 1], `the event's ${root} has no parts`);
  return [...steps];
}

/** The one text of a filter: what triggers are compared by. `parseWhere` of its JSON gives the same filter again. */
export function canonicalWhere(where: Where): string {
  return canonicalJson(where as unknown as Json);
}

class WhereParser {
  #parts = 0;

  parse(json: unknown, path: Path, depth: number): Where {
    this.#parts += 1;
    if (this.#parts > wherePartsMax) throw invalid(path, `more than ${wherePartsMax} parts`);
    if (depth > whereDepthMax) throw invalid(path, `nested more than ${whereDepthMax} deep`);
    const members = membersOf(json, path);
    const { op } = members;
    switch (op) {
      case "and":
      case "or":
        return this.#parseGroup(members, path, depth);
      case "not":
        expectKeys(members, ["op", "of"], path);
        return { op, of: this.parse(members["of"], [...path, "of"], depth + 1) };
      case "cel":
        expectKeys(members, ["op", "text"], path);
        return { op, text: parseWhereExpression(members["text"], [...path, "text"]) };
      default:
        return parseLeaf(members, path);
    }
  }

  #parseGroup(members: Members, path: Path, depth: number): Where {
    expectKeys(members, ["op", "of"], path);
    const op = members["op"] as "and" | "or";
    const { of } = members;
    if (!Array.isArray(of)) throw invalid([...path, "of"], "expected a list of filters", of);
    if (op === "or" && of.length === 0)
      throw invalid([...path, "of"], "`or` of nothing holds for no event: give it an alternative");
    return { op, of: of.map((part: unknown, at) => this.parse(part, [...path, "of", at], depth + 1)) };
  }
}

function parseLeaf(members: Members, at: Path): Where {
  const op = members["op"];
  if (typeof op !== "string" || !(operators as readonly string[]).includes(op)) throw unknownOperator(op, at);
  expectKeys(members, ["op", "path", "value"], at);
  const path = parseWherePath(members["path"], [...at, "path"]);
  const place = [...at, "value"];
  const value = members["value"];
  switch (op) {
    case "eq":
    case "ne":
      return { op, path, value: parseEqual(value, path, place) };
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return { op, path, value: parseOrdered(op, value, path, place) };
    case "in": {
      if (!Array.isArray(value) || value.length === 0)
        throw invalid(place, "expected a list of values", value);
      if (value.length > whereValuesMax)
        throw invalid(place, `${value.length} values, and ${whereValuesMax} are allowed`);
      return {
        op,
        path,
        value: value.map((one: unknown, index) => parseScalar(one, path, [...place, index])),
      };
    }
    case "exists":
      if (typeof value !== "boolean") throw invalid(place, "expected true or false", value);
      return { op, path, value };
    case "has":
      if (path[0] !== "data") throw invalid([...at, "path"], "only data holds lists");
      return { op, path, value: parseScalar(value, path, place) };
    default:
      return parseText(op as WhereTextOperator, value, path, place);
  }
}

function parseText(op: WhereTextOperator, value: unknown, path: WherePath, place: Path): Where {
  if (typeof value !== "string") throw invalid(place, "expected a text", value);
  if (path[0] === "time") throw invalid(place, "the event's time is no text: compare it with a time");
  boundText(value, place);
  const compiled = op === "glob" ? compileGlob(value) : op === "matches" ? compilePattern(value) : undefined;
  if (compiled && "fault" in compiled)
    throw invalid(place, `the ${op === "glob" ? "glob" : "pattern"} ${compiled.fault}`);
  return { op, path, value };
}

function parseEqual(value: unknown, path: WherePath, place: Path): WhereScalar | WhereTime {
  return isTimeOperand(value) ? parseTimeOperand(value, path, place) : parseScalar(value, path, place);
}

function parseOrdered(
  op: WhereOrderOperator,
  value: unknown,
  path: WherePath,
  place: Path,
): string | number | WhereTime {
  if (isTimeOperand(value)) return parseTimeOperand(value, path, place);
  const scalar = parseScalar(value, path, place);
  if (typeof scalar === "string" || typeof scalar === "number") return scalar;
  throw invalid(place, `\`${op}\` compares numbers, texts and times`, value);
}

function isTimeOperand(value: unknown): value is object {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function parseTimeOperand(value: object, path: WherePath, place: Path): WhereTime {
  const members = membersOf(value, place);
  expectKeys(members, ["time"], place);
  const { time } = members;
  const ms = typeof time === "string" ? parseTime(time) : undefined;
  if (ms === undefined)
    throw invalid([...place, "time"], 'expected a time such as "2026-05-01T06:00:00Z"', time);
  if (path[0] !== "time" && path[0] !== "data" && path[0] !== "attributes")
    throw invalid(place, `the event's ${path[0]} is no time`);
  return { time: new Date(ms).toISOString() };
}

function parseScalar(value: unknown, path: WherePath, place: Path): WhereScalar {
  if (path[0] === "time")
    throw invalid(place, 'the event\'s time is compared with a time: { time: "2026-05-01T06:00:00Z" }');
  if (path[0] !== "data" && path[0] !== "attributes" && typeof value !== "string")
    throw invalid(place, `the event's ${path[0]} is a text`, value);
  switch (typeof value) {
    case "string":
      return boundText(value, place);
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) break;
      return value === 0 ? 0 : value;
    default:
      if (value === null) return value;
  }
  throw invalid(place, "expected a text, a number, true, false or null", value);
}

function boundText(value: string, place: Path): string {
  if (value.length > whereTextCharactersMax)
    throw invalid(place, `a text has at most ${whereTextCharactersMax} characters`);
  return value;
}

interface Members {
  readonly [key: string]: unknown;
}

function membersOf(json: unknown, path: Path): Members {
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw invalid(path, 'expected an object such as { op: "eq", path, value }', json);
  return json as Members;
}

/** Looks at own members: JSON may hold `__proto__` and `constructor`. */
function expectKeys(members: Members, keys: readonly string[], path: Path): void {
  for (const key of Object.keys(members)) {
    if (!keys.includes(key)) throw invalid([...path, key], `unknown here; ${keys.join(", ")} are known`);
  }
  for (const key of keys) if (!Object.hasOwn(members, key)) throw invalid([...path, key], "is missing");
}

function unknownOperator(op: unknown, path: Path): MillraceError {
  const near = typeof op === "string" && op.length < 64 ? nearestName(op, operators) : undefined;
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  return invalid([...path, "op"], `expected one of ${operators.join(", ")}.${hint}`, op);
}

const charactersShown = 80;

/** A fault of a filter at `path`, told with what was found there, when that is said. */
function invalid(path: Path, what: string, ...found: readonly unknown[]): MillraceError {
  const shown = found.length === 0 ? "" : ` Found ${showFound(found[0])}.`;
  const end = /[.?]$/.test(what) ? "" : ".";
  return new MillraceError("MILLRACE_WHERE_INVALID", {
    message: `The filter is wrong at ${formatPath(path)}: ${what}${end}${shown}`,
    fields: { path },
  });
}

function showFound(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > charactersShown ? `${value.slice(0, charactersShown)}…` : value);
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === undefined) return "nothing";
  return Array.isArray(value) ? `a list of ${value.length}` : `a value of type ${typeof value}`;
}
