/** Plays a page of `docs/learning` as its reader does: writes its files, enters its commands, looks where it has a picture. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ProjectView } from "@millrace/protocol";
import { Api } from "./api.ts";
import type { Stack } from "./stack.ts";
import { until } from "./until.ts";

const repository = join(import.meta.dirname, "..", "..");
const patienceMs = 30_000;

export type LessonStep =
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  /** Lines of a file that the reader has. */
  | { readonly kind: "part"; readonly path: string; readonly text: string }
  | { readonly kind: "command"; readonly line: string }
  | { readonly kind: "picture"; readonly file: string };

const stepPattern = /^```(ts|sh)(?: (part of )?(\S+))?\n([\s\S]*?)^```$|^!\[[^\]]*\]\((\S+)\)$/gm;

export function lessonSteps(page: string): LessonStep[] {
  const text = readFileSync(join(repository, page), "utf8");
  return Array.from(text.matchAll(stepPattern)).flatMap((match): LessonStep[] => {
    const [, language, part, path = "", code = "", picture] = match;
    if (picture !== undefined) return [{ kind: "picture", file: join(dirname(page), picture) }];
    if (language === "ts") return [{ kind: part === undefined ? "file" : "part", path, text: code }];
    return code
      .split("\n")
      .map((line) => line.replace(/ +#.*$/, ""))
      .filter((line) => line !== "")
      .map((line) => ({ kind: "command", line }));
  });
}

export class Lesson {
  readonly #stack: Stack;
  readonly folder: string;
  #api: Api | undefined;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.folder = join(stack.folder, "weather");
    mkdirSync(this.folder);
  }

  /** Known once `millrace dev` was entered. */
  get api(): Api {
    if (!this.#api) throw new Error("nobody has started `millrace dev` yet");
    return this.#api;
  }

  /** Returns when what it does is done; a saved file is in force then. */
  async play(step: LessonStep): Promise<void> {
    switch (step.kind) {
      case "file":
        return this.#save(step.path, step.text);
      case "part":
        if (readFileSync(join(this.folder, step.path), "utf8").includes(step.text)) return;
        throw new Error(`${step.path} does not hold what is shown of it: ${step.text}`);
      case "command":
        return this.#enter(step.line);
      case "picture":
        return;
    }
  }

  /** Returns once it is seen. */
  async mistake(path: string, right: string, wrong: string): Promise<void> {
    const file = join(this.folder, path);
    writeFileSync(file, readFileSync(file, "utf8").replace(right, wrong));
    await until("the error", patienceMs, async () => {
      const { state } = await this.api.send<ProjectView>("GET", "/project");
      return state === "broken";
    });
  }

  async #save(path: string, text: string): Promise<void> {
    const deployment = async (): Promise<number> =>
      (await this.api.send<ProjectView>("GET", "/project")).running?.deployment ?? 0;
    const before = await deployment();
    writeFileSync(join(this.folder, path), text);
    await until(`${path} in force`, patienceMs, async () => (await deployment()) > before);
  }

  async #enter(line: string): Promise<void> {
    const [program, command, ...words] = line.split(" ");
    if (program === "npm") return this.#install();
    if (program === "cp") return cpSync(join(this.folder, command ?? ""), join(this.folder, words[0] ?? ""));
    if (program !== "npx" || command !== "millrace") throw new Error(`nobody knows how to enter ${line}`);
    if (words[0] === "dev") return this.#dev();
    const ended = await this.#stack.run(words, { folder: this.folder });
    if (ended.code !== 0) throw new Error(`${line} ended with ${ended.code}: ${ended.out}\n${ended.err}`);
  }

  /** The package of this repository, as it stands. */
  #install(): void {
    mkdirSync(join(this.folder, "node_modules"));
    symlinkSync(join(repository, "packages", "millrace"), join(this.folder, "node_modules", "millrace"));
  }

  async #dev(): Promise<void> {
    const dev = this.#stack.command(["dev", "--port", "0", "--json"], { folder: this.folder });
    this.#api = new Api(String((await dev.event("ready"))["url"]));
  }
}
