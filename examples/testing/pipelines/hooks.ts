import { on, pipeline, task, webhook } from "millrace";

export const github = webhook("github", { verify: { kind: "github", secret: "GITHUB_SECRET" } });

const build = task("build", (commit: string) => `built ${commit}`);

export const onPush = pipeline(
  "on-push",
  { on: on.event<{ after: string }>("github.push").as("pushes") },
  ({ firing }) => build(firing.members.pushes[0]!.data.after),
);
