import { join } from "node:path";
import { expect, test } from "vitest";
import { Dev, millrace, projectWith } from "./command-process.ts";

interface Shown {
  readonly server: string | null;
  readonly settings: readonly {
    readonly name: string;
    readonly value?: string;
    readonly source: string;
    readonly from?: string;
  }[];
}

function settingOf({ settings }: Shown, name: string): Shown["settings"][number] | undefined {
  return settings.find((setting) => setting.name === name);
}

test("settings are those of the running server, else of one that would start here", async () => {
  const root = projectWith({});
  const none = await millrace(root, "settings", "--state", "elsewhere", "--json");
  const alone = JSON.parse(none.stdout) as Shown;
  expect(alone.server).toBeNull();
  expect(settingOf(alone, "port")).toMatchObject({ value: "4600", source: "default" });
  expect(settingOf(alone, "state")).toMatchObject({
    value: join(root, "elsewhere"),
    source: "flag",
    from: "--state",
  });

  const dev = new Dev(root);
  const { url } = (await dev.event("ready")) as { readonly url: string };
  const running = JSON.parse((await millrace(root, "settings", "--json")).stdout) as Shown;
  expect(running.server).toBe(url);
  expect(settingOf(running, "port")).toMatchObject({ value: new URL(url).port, from: "--port" });
  expect(settingOf(running, "state")).toMatchObject({ value: join(root, ".millrace"), source: "default" });
  const { stdout } = await millrace(root, "settings");
  expect(stdout).toMatch(/keep-days +30 +default/);
}, 120_000);
