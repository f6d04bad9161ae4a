/** The running API against its document: a linter reads it, and thousands of requests are made of it (Schemathesis). */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { Stack } from "./harness/stack.ts";

const run = promisify(execFile);
const version = "4.32.5";
const settings = join(import.meta.dirname, "api-properties");
/** Kept between runs: it takes some 20 s to install. */
const tools = join(import.meta.dirname, "..", "node_modules", ".cache", `schemathesis-${version}`);
const streams = String.raw`(/live|/events/follow|/runs/\{id\}/events)$`;

let stack: Stack;
let api: Api;

async function schemathesis(): Promise<string> {
  const program = join(tools, "bin", "schemathesis");
  if (existsSync(join(tools, "done"))) return program;
  try {
    await run("python3", ["-m", "venv", tools]);
    await run(join(tools, "bin", "pip"), ["install", "--quiet", `schemathesis==${version}`]);
    await run("touch", [join(tools, "done")]);
  } catch (cause) {
    throw new Error(
      "Schemathesis can't be installed, and the API is tested with it: it needs Python 3.10 or later with venv (`apt-get install python3-venv`), and PyPI.",
      { cause },
    );
  }
  return program;
}

beforeAll(async () => {
  stack = await Stack.make();
  const server = await stack.server();
  api = server.api;
  await stack.worker({ url: api.url });
  await stack.deploy(api, { folder: join(import.meta.dirname, "page-project") });
  await api.start("orders", {});
  await schemathesis();
}, 240_000);

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

test("a linter finds nothing in the document", async () => {
  const source = await (await fetch(`${api.url}/api/v1/openapi.json`)).text();
  const config = await createConfig({ extends: ["recommended-strict"] });
  const found = await lintFromString({ source, config });
  expect(found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
});

test(
  "what is asked as the document says is answered as it says, and all else is refused",
  { timeout: 240_000 },
  async () => {
    const args = [
      "--config-file",
      join(settings, "schemathesis.toml"),
      "run",
      `${api.url}/api/v1/openapi.json`,
    ];
    const { stdout } = await run(
      await schemathesis(),
      [...args, "--exclude-path-regex", streams, "--no-color"],
      {
        cwd: stack.folder,
        env: { ...process.env, SCHEMATHESIS_HOOKS: "hooks", PYTHONPATH: settings },
        maxBuffer: 64 * 1024 * 1024,
      },
    ).catch((error: { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`);
    });
    const cases = Number(/(\d+) generated/.exec(stdout)?.[1]);
    expect(cases).toBeGreaterThan(500);
    expect((await fetch(`${api.url}/api/v1/info`)).status).toBe(200);
  },
);
