import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  readServerFrame,
  readWorkerFrame,
  serverMessageSchemas,
  workerMessageSchemas,
} from "../src/worker-schema.ts";

interface Frame {
  readonly side: "server" | "worker";
  readonly message: { readonly kind: string };
}

const folder = join(import.meta.dirname, "../transcripts/v1");
const transcripts = (await readdir(folder)).filter((name) => name.endsWith(".ndjson"));

/** With the masks of times and names filled. */
async function framesOf(file: string): Promise<Frame[]> {
  const lines = (await readFile(join(folder, file), "utf8")).trim().split("\n");
  const filled = (key: string, value: unknown): unknown =>
    value !== "*" ? value : /[aA]t$/.test(key) ? 1 : "any";
  return lines.flatMap((line) => {
    const entry = JSON.parse(line, filled) as { readonly [side in Frame["side"]]?: Frame["message"] };
    return (["server", "worker"] as const).flatMap((side) => {
      const message = entry[side];
      return message ? [{ side, message }] : [];
    });
  });
}

function read({ side, message }: Frame, ignored: (reason: string) => void): unknown {
  return (side === "server" ? readServerFrame : readWorkerFrame)(JSON.stringify(message), ignored);
}

const known = (await Promise.all(transcripts.map(framesOf)))
  .flat()
  .filter(({ message }) => message.kind !== "from_the_future");

test("every frame of the transcripts passes as it is", () => {
  expect(known.length).toBeGreaterThan(30);
  for (const frame of known) {
    const reasons: string[] = [];
    expect(read(frame, (reason) => reasons.push(reason))).toEqual(frame.message);
    expect(reasons).toEqual([]);
  }
});

test("the checks judge like a general validator judges the schemas", () => {
  const compiler = new Ajv2020({ strict: false, ownProperties: true });
  const schemas = { server: serverMessageSchemas(), worker: workerMessageSchemas() };
  const judge = ({ side, message }: Frame): boolean =>
    compiler.validate(schemas[side][message.kind] ?? false, message);
  const changed = fc
    .record({
      frame: fc.constantFrom(...known),
      at: fc.nat(),
      value: fc.jsonValue({ maxDepth: 1 }),
      remove: fc.boolean(),
    })
    .map(({ frame, at, value, remove }) => ({ ...frame, message: change(frame.message, at, value, remove) }));
  fc.assert(
    fc.property(changed, (frame) => (read(frame, () => {}) !== undefined) === judge(frame)),
    { numRuns: 2_000 },
  );
});

/** Replaces or removes one member, somewhere inside; never the message's own kind. */
function change(message: Frame["message"], at: number, value: unknown, remove: boolean): Frame["message"] {
  const copy = structuredClone(message);
  const places = placesIn(copy).filter(({ holder, name }) => holder !== copy || name !== "kind");
  const place = places[at % Math.max(1, places.length)];
  if (!place) return copy;
  const { holder, name } = place;
  if (!remove) holder[name] = value;
  else if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else delete holder[name];
  return copy;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly name: string;
}

function placesIn(value: unknown): Place[] {
  if (value === null || typeof value !== "object") return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...placesIn(holder[name])]);
}

test("a frame with a wrong or missing field is ignored with its place", () => {
  const reasons: string[] = [];
  const refused = (message: unknown): void => {
    expect(readWorkerFrame(JSON.stringify(message), (reason) => reasons.push(reason))).toBeUndefined();
  };
  refused({
    kind: "progress",
    token: { runId: "r", node: "n", item: "", generation: 1, dispatch: 1 },
    fraction: 2,
  });
  refused({ kind: "progress", fraction: 0.5 });
  refused({ kind: "results", results: [{ token: {}, outcome: { kind: "succeeded" }, times: {} }] });
  refused({ kind: "from_the_future" });
  refused({ kind: 7 });
  refused("text");
  expect(reasons).toEqual([
    "a frame of kind progress is malformed at /fraction: expected a number from 0 to 1",
    "a frame of kind progress is malformed at /token: expected an object",
    "a frame of kind results is malformed at /results/0/token/runId: expected a string",
    'a frame has the unknown kind "from_the_future"',
    "a frame is no JSON object with a `kind`",
    "a frame is no JSON object with a `kind`",
  ]);
});
