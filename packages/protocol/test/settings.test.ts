import { expect, test } from "vitest";
import { settingOf, settingViews } from "../src/settings.ts";

const nothing = { flags: {}, variables: {} };

test("a flag goes before the variable, which goes before the default; a blank variable is not set", () => {
  const variables = { MILLRACE_STATE: "/var/millrace" };
  expect(settingOf("state", { flags: { state: "here" }, variables })).toEqual({
    value: "here",
    source: "flag",
    from: "--state",
  });
  expect(settingOf("state", { flags: {}, variables })).toEqual({
    value: "/var/millrace",
    source: "variable",
    from: "MILLRACE_STATE",
  });
  const blank = { flags: {}, variables: { MILLRACE_STATE: " " } };
  expect(settingOf("state", blank)).toEqual({ value: ".millrace", source: "default", from: undefined });
});

test("what is secret is not shown, and that it is set is", () => {
  const variables = {
    MILLRACE_TOKEN: "a-secret-token",
    DATABASE_URL: "postgres://shop:pass%20word@db.example.com:5433/runs?sslpassword=another",
  };
  const views = settingViews({ flags: { port: 4_700 }, variables });
  expect(JSON.stringify(views)).not.toMatch(/a-secret-token|pass|another/);
  const byName = new Map(views.map((view) => [view.name, view]));
  expect(byName.get("token")).toMatchObject({ isSecret: true, source: "variable", from: "MILLRACE_TOKEN" });
  expect(byName.get("database")).toMatchObject({
    value: "postgres://shop@db.example.com:5433/runs",
    isSecret: true,
  });
  expect(byName.get("port")).toMatchObject({ value: "4700", source: "flag", from: "--port" });
});

test("an address that can't be read is secret as a whole", () => {
  const views = settingViews({ flags: {}, variables: { DATABASE_URL: "host=db password=secret" } });
  expect(views.find(({ name }) => name === "database")).not.toHaveProperty("value");
});

test("what nobody says is told in words", () => {
  const views = settingViews(nothing);
  expect(views.find(({ name }) => name === "database")).toMatchObject({
    source: "default",
    note: "the embedded PostgreSQL of the state folder",
  });
  expect(views.find(({ name }) => name === "keep-days")).toMatchObject({ value: "30", source: "default" });
});
