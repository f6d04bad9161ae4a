/** What `millrace init` writes. Tests run the pipeline, and its test. */
import { pipelineFile, pipelineText, testText } from "./pipeline-text.ts";

export interface TemplateFile {
  readonly text: string;
  /** Where there is such a file already, it stays as it is; the others stop the making. */
  readonly mayStay: boolean;
}

export interface TemplateOptions {
  readonly project: string;
  readonly editor: Editor;
}

export type Editor = "vscode" | "none";

export function templateFiles({ project, editor }: TemplateOptions): {
  readonly [path: string]: TemplateFile;
} {
  return {
    "millrace.config.ts": { text: configuration(project), mayStay: false },
    [pipelineFile]: { text: pipelineText, mayStay: false },
    "pipelines/hello.test.ts": { text: testText, mayStay: false },
    ...Object.fromEntries(
      readings.map(([city, celsius]) => [
        `data/inbox/${city.toLowerCase()}.json`,
        { text: `${JSON.stringify({ city, celsius })}\n`, mayStay: true },
      ]),
    ),
    "README.md": { text: readme(project), mayStay: true },
    "tsconfig.json": { text: json(compiler), mayStay: true },
    ...(editor === "vscode"
      ? {
          ".vscode/settings.json": { text: json(settings), mayStay: true },
          ".vscode/tasks.json": { text: json(tasks), mayStay: true },
          ".vscode/launch.json": { text: json(launch), mayStay: true },
        }
      : {}),
  };
}

/** Three of them make a batch; the fourth waits for others, or a minute. */
const readings = [
  ["Lisbon", 21],
  ["Nairobi", 24],
  ["Oslo", 7],
  ["Quito", 15],
] as const;

function configuration(project: string): string {
  return `import { defineConfig } from "millrace";

export default defineConfig({
  project: ${JSON.stringify(project)},
  include: ["pipelines/**/*.ts"],
});
`;
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** As Node runs the files: types are taken away, nothing else. */
const compiler = {
  compilerOptions: {
    target: "es2024",
    module: "nodenext",
    strict: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
  },
  include: ["millrace.config.ts", "pipelines"],
};

const settings = {
  "files.exclude": { "**/.millrace": true },
  "search.exclude": { "**/.millrace": true },
  "typescript.preferences.importModuleSpecifierEnding": "js",
};

const tasks = {
  version: "2.0.0",
  tasks: [
    { label: "millrace dev", type: "npm", script: "dev", isBackground: true, problemMatcher: [] },
    {
      label: "test",
      type: "npm",
      script: "test",
      group: { kind: "test", isDefault: true },
      problemMatcher: [],
    },
  ],
};

const launch = {
  version: "0.2.0",
  configurations: [
    {
      name: "The tests of this file",
      type: "node",
      request: "launch",
      runtimeArgs: ["--test"],
      program: "${file}",
      skipFiles: ["<node_internals>/**"],
    },
  ],
};

function readme(project: string): string {
  return `# ${project}

Pipelines for [Millrace](https://www.npmjs.com/package/millrace).

    npm install          # once
    npx millrace dev     # server, worker, page, and reload on change

\`pipelines/hello.ts\` makes a batch of a stream: files that land in \`data/inbox\` are events, every three of them start a
run, which reads each in a task run of its own (one fails at first and is retried) and writes a report. Change it while
\`millrace dev\` runs: the page shows it as soon as you save.

    cp data/inbox/oslo.json data/inbox/bergen.json   # another event
    npx millrace run hello     # all files that are there, now
    npx millrace show RUN      # what happened, node by node
    npx millrace logs RUN      # what it printed
    npx millrace doctor        # when something is odd

\`npm test\` runs \`pipelines/hello.test.ts\`: without a server, and on virtual time, so a retry in a minute takes none.
`;
}
