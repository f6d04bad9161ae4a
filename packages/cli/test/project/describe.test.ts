import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bundleProject } from "../../src/project/bundle.ts";
import { checkConfiguration } from "../../src/project/configuration-check.ts";
import { describeBundle, type ProjectDescription } from "../../src/project/describe.ts";
import { pipelineFile, projectFolder } from "./project-folder.ts";

const settings = checkConfiguration("/", "millrace.config.ts", {
  project: "shop",
  pools: { warehouse: 3 },
  queues: ["gpu"],
});

/** Describes a project of one good file and the given one, with bounds that suit a test. */
async function describeWith(bad: string, timeoutMs = 8_000): Promise<ProjectDescription> {
  const root = projectFolder({ "pipelines/bad.ts": bad, "pipelines/good.ts": pipelineFile("good") });
  const bundle = await bundleProject(root, settings);
  return await describeBundle(bundle, { root, timeoutMs, memoryMb: 256 });
}

function names(description: ProjectDescription): string[] | undefined {
  return description.definition?.pipelines.map(({ name }) => name).sort();
}

test("definitions arrive as data, with their places in the project", async () => {
  const description = await describeWith(pipelineFile("also-good"));
  expect(description.errors).toEqual([]);
  expect(description.definition).toMatchObject({
    project: "shop",
    pools: { warehouse: 3 },
    queues: ["default", "gpu"],
  });
  const good = description.definition?.pipelines.find(({ name }) => name === "good");
  expect(good?.nodes[0]).toMatchObject({ id: "work", source: { file: "pipelines/good.ts", line: 4 } });
});

const cases: readonly {
  readonly what: string;
  readonly text: string;
  readonly code: string;
  readonly line: number;
  readonly says: string;
}[] = [
  {
    what: "throws at import",
    text: `\nthrow new TypeError("no");\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 2,
    says: "TypeError: no",
  },
  {
    what: "throws something that is no error",
    text: `throw "text";\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 0,
    says: '"text"',
  },
  {
    what: "rejects in passing",
    text: `\nvoid Promise.reject(new Error("later"));\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 2,
    says: "later",
  },
  {
    what: "loops for ever",
    text: `\nfunction spin(): void {\n  while (true);\n}\nspin();\n`,
    code: "MILLRACE_LOAD_TIMEOUT",
    line: 3,
    says: "importing pipelines/bad.ts",
  },
  {
    what: "awaits what never settles",
    text: `\nawait Promise.resolve(1);\nawait new Promise(() => {});\n`,
    code: "MILLRACE_LOAD_TIMEOUT",
    line: 3,
    says: "never settles",
  },
  {
    what: "waits on an open handle",
    text: `\nawait new Promise(() => setInterval(() => {}, 1e6));\n`,
    code: "MILLRACE_LOAD_TIMEOUT",
    line: 2,
    says: "importing pipelines/bad.ts",
  },
  {
    what: "calls process.exit",
    text: `\n\nprocess.exit(3);\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 3,
    says: "process.exit(3)",
  },
  {
    what: "kills itself",
    text: `process.kill(process.pid, "SIGKILL");\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 0,
    says: "SIGKILL",
  },
  {
    what: "takes all memory on the heap",
    text: `const all: unknown[] = [];\nfor (;;) all.push(new Array(1e5).fill(1.5));\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 0,
    says: "256 MB",
  },
  {
    what: "takes all memory in buffers",
    text: `const all: unknown[] = [];\nfor (;;) all.push(Buffer.alloc(1e7, 1));\n`,
    code: "MILLRACE_LOAD_FAILED",
    line: 0,
    says: "256 MB",
  },
];

test.for(cases)("a file that $what is named, and hides no other", async ({ text, code, line, says }) => {
  const description = await describeWith(text);
  expect(description.errors.map((error) => error.code)).toEqual([code]);
  const [error] = description.errors;
  expect(error?.source).toMatchObject({ file: "pipelines/bad.ts", line });
  expect(error?.message).toContain(says);
  expect(description.brokenFiles).toEqual(["pipelines/bad.ts"]);
  expect(names(description)).toEqual(["good"]);
});

test.for([
  ["a listening server", `import { createServer } from "node:http";\ncreateServer().listen(0);\n`],
  ["a timer", `\nsetInterval(() => {}, 1e6);\n`],
  ["a child process", `import { spawn } from "node:child_process";\nspawn("sleep", ["1000"]);\n`],
] as const)("a file that leaves %s open is told with its line", async ([resource, text]) => {
  const { errors } = await describeWith(text + pipelineFile("bad"));
  const [error] = errors;
  expect(errors).toHaveLength(1);
  expect(error?.code).toBe("MILLRACE_LOAD_TIMEOUT");
  expect(error?.message).toContain(resource);
  expect(error?.source).toMatchObject({ file: "pipelines/bad.ts", line: 2 });
});

test("what a pipeline's body leaves for later is told with its line", async () => {
  const body = (text: string): string =>
    `import { pipeline, task } from "millrace";\nconst work = task("work", async () => {});\n` +
    `export const flow = pipeline("flow", () => {\n  work();\n  ${text}\n});\n`;
  const open = await describeWith(body("setInterval(() => {}, 1e6);"));
  expect(open.errors).toMatchObject([
    { code: "MILLRACE_LOAD_TIMEOUT", source: { file: "pipelines/bad.ts", line: 5 } },
  ]);
  const late = await describeWith(body('setTimeout(() => work(undefined, { id: "late" }), 10);'));
  expect(late.errors).toMatchObject([
    { code: "MILLRACE_GRAPH_INVALID", source: { file: "pipelines/bad.ts", line: 5 } },
  ]);
});

test("what a file starts and ends, or lets go, is no fault; nor is printing", async () => {
  const text = `console.log("hello");\nconsole.error("hello");\nsetTimeout(() => {}, 50);\nsetInterval(() => {}, 1e6).unref();\n`;
  const description = await describeWith(text + pipelineFile("fine"));
  expect(description.errors).toEqual([]);
  expect(names(description)).toEqual(["fine", "good"]);
});

test("a pipeline's body that never ends is found in its file, and the others are described", async () => {
  const text = `import { pipeline } from "millrace";\nexport const flow = pipeline("bad", () => {\n  while (true);\n});\n`;
  const description = await describeWith(text, 16_000);
  expect(description.errors.map((error) => error.code)).toEqual(["MILLRACE_LOAD_TIMEOUT"]);
  expect(description.errors[0]?.source).toMatchObject({ file: "pipelines/bad.ts", line: 3 });
  expect(names(description)).toEqual(["good"]);
});

test("a fault inside one pipeline keeps its code and place, and hides no other", async () => {
  const text = `import { pipeline, task } from "millrace";
const work = task("work", { queue: "gpuu" }, async () => 1);
export const flow = pipeline("bad", () => {
  work();
});
`;
  const description = await describeWith(text);
  expect(description.errors.map((error) => error.code)).toEqual(["MILLRACE_QUEUE_UNKNOWN"]);
  expect(description.errors[0]?.source).toMatchObject({ file: "pipelines/bad.ts", line: 4 });
  expect(description.errors[0]?.fields["frame"]).toContain("> 4 |   work();");
  expect(names(description)).toEqual(["good"]);
});

test("the child sees only the environment of the allow list", async () => {
  process.env["MILLRACE_TEST_SECRET"] = "s3cret";
  const text = `if (process.env["MILLRACE_TEST_SECRET"] !== undefined || !process.env["PATH"]) throw new Error("seen");\n`;
  const { errors } = await describeWith(text + pipelineFile("fine"));
  delete process.env["MILLRACE_TEST_SECRET"];
  expect(errors).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "what a file started is dead when the answer is there",
  async () => {
    const mark = `millrace-test-${process.pid}`;
    const text = `import { spawn } from "node:child_process";
spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)", "${mark}"], { stdio: "ignore" }).unref();
while (true);
`;
    await describeWith(text, 4_000);
    const alive = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(mark));
    expect(alive).toEqual([]);
  },
);

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
