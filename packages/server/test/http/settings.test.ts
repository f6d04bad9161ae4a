/** Settings as they are in effect, at a real server. */
import { settingViews, type Page, type SettingView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { node, pipeline, startFixture } from "./server-fixture.ts";

test("settings come with their source, the port as it was taken, pools as who set them", async () => {
  const given = { flags: { port: 0 }, variables: { MILLRACE_TOKEN: "secret-token" } };
  await using fixture = await startFixture({ settings: settingViews(given) });
  await fixture.deploy([pipeline("orders", [node("load")])], { pools: { warehouse: 4, api: 2 } });
  const set = await fixture.call("PUT", "/pools/warehouse", { slots: 6 });
  expect(set.status).toBe(200);
  const answer = await fixture.call("GET", "/settings");
  expect(answer.status).toBe(200);
  expect(JSON.stringify(answer.body)).not.toContain("secret-token");
  const { items } = answer.body as Page<SettingView>;
  const byName = new Map(items.map((one) => [one.name, one]));
  expect(byName.get("token")).toMatchObject({ isSecret: true, source: "variable", from: "MILLRACE_TOKEN" });
  expect(byName.get("port")).toMatchObject({ value: new URL(fixture.server.url).port, source: "flag" });
  expect(byName.get("keep-days")).toMatchObject({ value: "30", source: "default" });
  expect(byName.get("pools.api")).toMatchObject({ value: "2", source: "file", from: "millrace.config.ts" });
  expect(byName.get("pools.warehouse")).toMatchObject({
    value: "6",
    source: "operator",
    note: "millrace.config.ts says 4",
  });
});
