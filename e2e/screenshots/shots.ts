/** What pictures are taken of: each page with work in every state, and with nothing. */
import type { Names } from "./scene.ts";

export type SceneName = "shop" | "empty" | "new" | "broken";

export interface Shot {
  /** The picture's; a word chooses the shots that begin with it. */
  readonly name: string;
  readonly scene: SceneName;
  readonly path: (names: Names) => string;
}

const shop = (name: string, path: string | Shot["path"]): Shot => ({
  name,
  scene: "shop",
  path: typeof path === "string" ? () => path : path,
});
const empty = (name: string, path: string): Shot => ({
  name: `${name}-empty`,
  scene: "empty",
  path: () => path,
});

const other = (scene: SceneName, name: string, path: string): Shot => ({ name, scene, path: () => path });

export const shots: readonly Shot[] = [
  shop("now", "/"),
  shop("pipelines", "/pipelines"),
  shop("pipeline-grid", "/pipelines/delivery"),
  shop("pipeline-graph", "/pipelines/delivery?tab=graph"),
  shop("pipeline-durations", "/pipelines/delivery?tab=durations"),
  shop("pipeline-trigger", "/pipelines/orders?tab=trigger"),
  shop("pipeline-definition", "/pipelines/orders?tab=definition"),
  shop("runs", "/runs"),
  shop("runs-failed", "/runs?state=failed"),
  shop("run-succeeded", ({ succeeded }) => `/runs/${succeeded}`),
  shop("run-failed", ({ failed }) => `/runs/${failed}`),
  shop("run-running", ({ running }) => `/runs/${running}`),
  shop("run-waiting", ({ waiting }) => `/runs/${waiting}`),
  shop("run-retrying", ({ retrying }) => `/runs/${retrying}`),
  shop("run-queued", ({ queued }) => `/runs/${queued}`),
  shop("run-cancelled", ({ cancelled }) => `/runs/${cancelled}`),
  shop("run-asked", ({ asked }) => `/runs/${asked}`),
  shop("run-batch", ({ batch }) => `/runs/${batch}`),
  shop("run-graph", ({ succeeded }) => `/runs/${succeeded}?tab=graph`),
  shop("run-timeline", ({ batch }) => `/runs/${batch}?tab=timeline`),
  shop("run-logs", ({ running }) => `/runs/${running}?tab=logs`),
  shop("run-data", ({ batch }) => `/runs/${batch}?tab=data`),
  shop("events", "/events"),
  shop("event", ({ event }) => `/events?event=${event}`),
  shop("assets", "/assets"),
  shop("assets-graph", "/assets?view=graph"),
  shop("asset-days", "/assets/lake%2Forders_enriched"),
  shop("asset-hours", "/assets/lake%2Forders"),
  shop("asset-plain", "/assets/ref%2Fprices"),
  shop("triggers", "/triggers"),
  shop("trigger-batch", "/triggers/orders"),
  shop("trigger-keys", "/triggers/refunds?key=4801"),
  shop("trigger-firings", "/triggers/orders?tab=firings"),
  shop("trigger-simulate", "/triggers/orders?tab=simulate"),
  shop("schedules-week", "/schedules"),
  shop("schedules-day", "/schedules?span=day"),
  shop("approvals", "/approvals"),
  shop("approvals-answered", "/approvals?tab=answered"),
  shop("workers", "/workers"),
  shop("system", "/system"),
  other("new", "first-contact", "/"),
  other("broken", "first-mistake", "/"),
  other("broken", "first-mistake-graph", "/pipelines/hello?tab=graph"),
  empty("now", "/"),
  empty("pipelines", "/pipelines"),
  empty("runs", "/runs"),
  empty("events", "/events"),
  empty("assets", "/assets"),
  empty("triggers", "/triggers"),
  empty("schedules", "/schedules"),
  empty("approvals", "/approvals"),
  empty("workers", "/workers"),
  empty("system", "/system"),
];

/** Words choose shots by the beginning of their names; what begins with `/` is an address of the shop. */
export function chosenShots(words: readonly string[]): readonly Shot[] {
  if (words.length === 0) return shots;
  const addresses = words
    .filter((word) => word.startsWith("/"))
    .map((path, at) => shop(`address-${at + 1}`, path));
  const isMeant = ({ name }: Shot): boolean =>
    words.some((word) => name === word || name.startsWith(`${word}-`));
  return [...shots.filter(isMeant), ...addresses];
}
