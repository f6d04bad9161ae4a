import { createHmac } from "node:crypto";
import type { WebhookView } from "@millrace/protocol";
import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { hookLines } from "../src/command/hooks.ts";
import { Dev, millrace, projectWith } from "./command-process.ts";

const timeoutMs = 120_000;

const file = `import { webhook } from "millrace";
export const github = webhook("github", { verify: { kind: "github", secret: "GITHUB_SECRET" } });
export const open = webhook("open", { verify: { kind: "none", insecure: true } });
export const shop = webhook("shop", { verify: { kind: "token", secret: ["HERE", "NOT_HERE"] } });
`;

test(
  "webhooks are deployed, listed with their addresses, and deliver; doctor says what the server lacks",
  async () => {
    const root = projectWith({ "pipelines/hooks.ts": file });
    const before = await millrace(root, "doctor", "--json");
    expect(before.stdout).toContain("shop needs HERE, NOT_HERE, not set in this environment");

    const dev = new Dev(root, { environment: { GITHUB_SECRET: "a secret", HERE: "token" } });
    const { url } = (await dev.event("ready")) as { readonly url: string };
    const note = await dev.event("note");
    expect(note["message"]).toContain("the webhook shop names the secret NOT_HERE");

    const listed = await millrace(root, "hooks", "--json");
    expect(JSON.parse(listed.stdout)).toEqual({
      hooks: ["github", "open", "shop"].map((name) => ({
        name,
        project: "shop",
        kind: { github: "github", open: "none", shop: "token" }[name],
        address: `${url}/hooks/${name}`,
        missingSecrets: name === "shop" ? ["NOT_HERE"] : [],
        source: { file: "pipelines/hooks.ts", line: expect.any(Number), column: expect.any(Number) },
      })),
    });
    const { stdout } = await millrace(root, "hooks");
    expect(stdout).toMatch(new RegExp(`github +${url}/hooks/github +GitHub +shop`));
    expect(stdout).toMatch(/open .*not verified/);
    expect(stdout).toMatch(/shop .*\n {2}the server lacks NOT_HERE/);

    const body = '{"ref":"refs/heads/main"}';
    const signature = createHmac("sha256", "a secret").update(body).digest("hex");
    const headers = {
      "content-type": "application/json",
      "x-hub-signature-256": `sha256=${signature}`,
      "x-github-event": "push",
    };
    const answer = await fetch(`${url}/hooks/github`, { method: "POST", body, headers });
    expect([answer.status, await answer.json()]).toEqual([200, { position: expect.any(Number) }]);
    expect((await millrace(root, "events", "--type", "github.push")).stdout).toContain("/hooks/github");

    const doctor = await millrace(root, "doctor", "--json");
    expect(doctor.stdout).toContain(`shop needs NOT_HERE, not set at the server ${url}`);
    expect(doctor.stdout).not.toContain("github needs");
    expect(doctor.stdout).toContain('"name":"Server: Schema","verdict":"ok"');
  },
  timeoutMs,
);

test.each([80, 40])(
  "in %i columns a webhook's address is whole, and what the server lacks is told",
  (width) => {
    const hook: WebhookView = {
      name: "github",
      project: "a-project-with-a-long-name",
      kind: "github",
      address: "https://millrace.example.com/hooks/github",
      missingSecrets: ["GITHUB_SECRET"],
    };
    const lines = hookLines([hook], createColors(false), width);
    expect(lines.filter((line) => line.includes(hook.address))).toHaveLength(1);
    expect(lines.at(-1)).toBe("  the server lacks GITHUB_SECRET");
  },
);
