/** Webhooks of every kind, and a pipeline that a push to GitHub starts. */
import { on, pipeline, task, webhook } from "millrace";

// Types, subjects, ids and times come with the kind.
export const github = webhook("github", {
  verify: { kind: "github", secret: ["GITHUB_SECRET", "GITHUB_SECRET_BEFORE"] },
  headers: ["X-GitHub-Hook-ID"],
});
export const stripe = webhook("stripe", { verify: { kind: "stripe", secret: "STRIPE_SECRET" } });
export const slack = webhook("slack", { verify: { kind: "slack", secret: "SLACK_SECRET" } });
export const partner = webhook("partner", { verify: { kind: "standard", secret: "PARTNER_SECRET" } });

// A sender of your own, or one that Millrace has no kind for.
export const shop = webhook("shop", {
  verify: {
    kind: "hmac",
    secret: "SHOP_SECRET",
    header: "X-Shop-Signature",
    prefix: "sha256=",
    timestamp: { header: "X-Shop-Time" },
  },
  type: '"shop." + body.kind',
  subject: '"order/" + string(body.order)',
  time: "body.at",
  id: 'headers["x-shop-delivery"]',
});
export const gitlab = webhook("gitlab", {
  verify: { kind: "token", secret: "GITLAB_TOKEN", header: "X-Gitlab-Token" },
  type: '"gitlab." + body.object_kind',
  id: 'headers["x-gitlab-event-uuid"]',
});
// Whoever reaches it can ring.
export const bell = webhook("bell", { verify: { kind: "none", insecure: true }, type: '"bell.rung"' });

const build = task("build", (input: { commit: string }) => `built ${input.commit}`);

export const onPush = pipeline(
  "build-main",
  { on: on.event<{ after: string }>("github.push", { where: 'data.ref == "refs/heads/main"' }).as("pushes") },
  ({ firing }) => build({ commit: firing.members.pushes[0]!.data.after }),
);
