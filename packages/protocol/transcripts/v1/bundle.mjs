// oxlint-disable no-console -- a task that prints
const tasks = {
  double: (input, ctx) => {
    ctx.log.info("doubling", { n: input.n });
    return { twice: input.n * 2 };
  },
  broken: () => {
    console.error("about to break");
    throw Object.assign(new TypeError("no such day"), { [Symbol.for("millrace.next")]: { kind: "fatal" } });
  },
  skip: () => {
    throw Object.assign(new Error(), { [Symbol.for("millrace.next")]: { kind: "skip", reason: "no new files" } });
  },
  exit: () => process.exit(3),
  wait: (_, ctx) =>
    new Promise((resolve) => {
      ctx.progress(0.25, "waiting");
      ctx.log.info("up");
      ctx.signal.addEventListener("abort", resolve);
    }),
  report: (_, ctx) => ctx.artifact("notes", { markdown: "# Hello" }),
  large: () => "x".repeat(20_000),
};
export const modules = { "pipelines/p.ts": tasks };
export const settings = { project: "transcripts", pools: {}, queues: [] };
export function loadProject(modules) {
  return { taskFunction: (_, node) => modules["pipelines/p.ts"][node] };
}
