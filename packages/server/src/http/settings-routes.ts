/** What is set at this server and by whom: its own settings, and the pools of its projects. */
import type { Page, SettingView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { configuredPools } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { poolsOf } from "./pool-routes.ts";
import { route, type Route } from "./route.ts";

const configurationFile = "millrace.config.ts";

export function settingsRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listSettings, async ({ raw }): Promise<Page<SettingView>> => ({
      items: [
        ...context.settings.map((setting) => withPort(setting, raw.socket.localPort)),
        ...(await poolSettings(context)),
      ],
    })),
  ];
}

/** It may serve on any free port, or on another one than the usual. */
function withPort(setting: SettingView, port: number | undefined): SettingView {
  if (setting.name !== "port" || port === undefined || setting.value === String(port)) return setting;
  const { value, ...rest } = setting;
  return { ...rest, value: String(port), note: value === "0" ? "any free one" : `${value} was taken` };
}

async function poolSettings(context: ApiContext): Promise<SettingView[]> {
  const [pools, configured] = await Promise.all([
    poolsOf(context),
    configuredPools(context.database, workspaceId),
  ]);
  return pools.map(({ name, slots, setByOperator }) => {
    const own = configured.get(name);
    return {
      name: `pools.${name}`,
      summary: "slots of a limit that tasks share",
      value: String(slots),
      ...(setByOperator
        ? { source: "operator", ...(own === undefined ? {} : { note: `${configurationFile} says ${own}` }) }
        : { source: "file", from: configurationFile }),
    };
  });
}
