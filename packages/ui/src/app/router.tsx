/** Addresses of the page. What is selected and filtered stands in the address, so that it can be shared and Back works. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Trouble } from "../parts/trouble.tsx";
import { Shell } from "./shell.tsx";

type Given = { readonly [name: string]: unknown };

/** A part of the address that is text; all else is passed over. */
function text(given: Given, name: string): string | undefined {
  const value = given[name];
  return typeof value === "string" && value !== ""
    ? value
    : typeof value === "number"
      ? String(value)
      : undefined;
}

function texts<Name extends string>(...names: readonly Name[]) {
  return (given: Given): { [name in Name]?: string } =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = text(given, name);
        return value === undefined ? [] : [[name, value]];
      }),
    ) as { [name in Name]?: string };
}

const root = createRootRoute({
  component: Shell,
  errorComponent: ({ error }) => (
    <div className="page">
      <Trouble error={error} />
    </div>
  ),
  notFoundComponent: () => (
    <div className="page">
      <h1>There is no such page</h1>
      <p className="quiet">The list at the left has those that there are.</p>
    </div>
  ),
});

const now = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: texts("hours"),
  component: lazyRouteComponent(() => import("../pages/now/now.tsx"), "Now"),
});
const workers = createRoute({
  getParentRoute: () => root,
  path: "/workers",
  validateSearch: texts("limit"),
  component: lazyRouteComponent(() => import("../pages/workers/workers.tsx"), "Workers"),
});
const approvals = createRoute({
  getParentRoute: () => root,
  path: "/approvals",
  validateSearch: texts("tab", "id"),
  component: lazyRouteComponent(() => import("../pages/approvals/approvals.tsx"), "Approvals"),
});
const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  component: lazyRouteComponent(() => import("../pages/system/system.tsx"), "System"),
});
const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: texts("pipeline", "state", "label", "by", "since", "until", "order"),
  component: lazyRouteComponent(() => import("../pages/runs/runs.tsx"), "Runs"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$run",
  validateSearch: texts("tab", "node", "item", "level", "find", "fold", "at", "of", "artifact"),
  component: lazyRouteComponent(() => import("../pages/run/run.tsx"), "Run"),
});
const pipelines = createRoute({
  getParentRoute: () => root,
  path: "/pipelines",
  validateSearch: texts("find", "tag", "owner", "state", "sort"),
  component: lazyRouteComponent(() => import("../pages/pipelines/pipelines.tsx"), "Pipelines"),
});
const pipeline = createRoute({
  getParentRoute: () => root,
  path: "/pipelines/$pipeline",
  validateSearch: texts("tab", "run", "node", "file", "line", "deployment", "from", "to"),
  component: lazyRouteComponent(() => import("../pages/pipeline/pipeline.tsx"), "Pipeline"),
});
const triggers = createRoute({
  getParentRoute: () => root,
  path: "/triggers",
  validateSearch: texts("find"),
  component: lazyRouteComponent(() => import("../pages/triggers/triggers.tsx"), "Triggers"),
});
const trigger = createRoute({
  getParentRoute: () => root,
  path: "/triggers/$pipeline",
  validateSearch: texts("tab", "key", "event", "source", "days", "at", "to", "set"),
  component: lazyRouteComponent(() => import("../pages/trigger/trigger.tsx"), "Trigger"),
});
const assets = createRoute({
  getParentRoute: () => root,
  path: "/assets",
  validateSearch: texts("find", "show", "sort", "view", "around", "kind", "depth"),
  component: lazyRouteComponent(() => import("../pages/assets/assets.tsx"), "Assets"),
});
const asset = createRoute({
  getParentRoute: () => root,
  path: "/assets/$asset",
  validateSearch: texts("partition", "until"),
  component: lazyRouteComponent(() => import("../pages/asset/asset.tsx"), "Asset"),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: "/schedules",
  validateSearch: texts("from", "span", "zone", "find"),
  component: lazyRouteComponent(() => import("../pages/schedules/schedules.tsx"), "Schedules"),
});
const events = createRoute({
  getParentRoute: () => root,
  path: "/events",
  validateSearch: texts(
    "type",
    "subject",
    "source",
    "where",
    "invalid",
    "until",
    "event",
    "by",
    "span",
    "build",
    "fields",
  ),
  component: lazyRouteComponent(() => import("../pages/events/events.tsx"), "Events"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    now,
    runs,
    run,
    pipelines,
    pipeline,
    events,
    assets,
    asset,
    triggers,
    trigger,
    schedules,
    approvals,
    workers,
    system,
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
