/** The frame of every page: where one is, what else there is, whether all is well. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Overview, ServerInfo } from "@millrace/protocol";
import { ApiError } from "../api/client.ts";
import { useProject } from "../api/project.ts";
import { one } from "../api/queries.ts";
import { SignIn } from "../pages/sign-in/sign-in.tsx";
import { urgentCount, verdictText } from "../pages/now/sentence.ts";
import { useNow } from "../parts/now.ts";
import { countText } from "../parts/number-text.ts";
import { clockText } from "../parts/time-text.ts";
import { Saved } from "../project/saved.tsx";
import { followLog } from "./live-updates.ts";
import { setTheme, theme, type Theme } from "./theme.ts";
import { pages } from "./pages.ts";

const Broken = lazy(() => import("../project/broken.tsx").then((module) => ({ default: module.Broken })));

export function Shell() {
  const info = useQuery(one<ServerInfo>("info", "/info"));
  if (info.error instanceof ApiError && info.error.status === 401) return <SignIn />;
  return <Frame info={info.data} />;
}

function Frame({ info }: { readonly info: ServerInfo | undefined }) {
  const queries = useQueryClient();
  const [isLive, setLive] = useState<boolean>();
  useEffect(() => followLog(queries, setLive), [queries]);
  useGoKeys();
  const { data: overview } = useQuery(one<Overview>("overview", "/overview"));
  const project = useProject();
  return (
    <div className="frame">
      <header>
        <Link to="/" className="brand">
          <img src="/mark.svg" width={18} height={18} alt="" /> millrace
        </Link>
        <span className="gap" />
        {project?.change && <Saved change={project.change} />}
        <Verdict overview={overview} />
        <LinkState isLive={isLive} info={info} />
        <ThemeChoice />
        <Now />
      </header>
      <nav aria-label="Pages">
        {pages.map(({ name, to }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === "/", includeSearch: false }}
            activeProps={{ className: "active", "aria-current": "page" }}
          >
            {name}
            {to === "/approvals" && overview && overview.approvals.count > 0 && (
              <span className="count">
                {countText(overview.approvals)} <span className="unseen">open</span>
              </span>
            )}
          </Link>
        ))}
      </nav>
      {project?.state === "broken" && (
        <Suspense fallback={null}>
          <Broken project={project} />
        </Suspense>
      )}
      <main>
        <Outlet />
      </main>
    </div>
  );
}

/** Whether all is well, on each page. */
function Verdict({ overview }: { readonly overview: Overview | undefined }) {
  if (!overview) return null;
  const isWell = urgentCount(overview) === 0;
  return (
    <Link to="/" className={isWell ? "quiet" : "bad-text"} title="What runs, waits and needs you now">
      <span aria-hidden="true">{isWell ? "●" : "▲"}</span> {verdictText(overview).toLowerCase()}
    </Link>
  );
}

/** `g` and a letter goes to a page. */
function useGoKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let isGoing = false;
    const press = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (/^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable) return;
      if (event.key === "/") {
        const field = document.querySelector<HTMLElement>("[data-filter]");
        if (field) {
          event.preventDefault();
          field.focus();
        }
        return;
      }
      const page = isGoing ? pages.find(({ key }) => key === event.key) : undefined;
      isGoing = event.key === "g";
      if (page) void navigate({ to: page.to });
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [navigate]);
}

function LinkState({
  isLive,
  info,
}: {
  readonly isLive: boolean | undefined;
  readonly info: ServerInfo | undefined;
}) {
  if (isLive === false)
    return (
      <span className="state warn" role="status">
        <span className="mark">↻</span> no link to the server; trying again
      </span>
    );
  return (
    <span className="quiet" role="status" title="What the page shows changes as it happens.">
      {info && isLive
        ? `● live · ${info.workers} ${info.workers === 1 ? "worker" : "workers"}`
        : "connecting"}
    </span>
  );
}

function ThemeChoice() {
  const [value, setValue] = useState<Theme>(theme);
  const next = { system: "light", light: "dark", dark: "system" } as const;
  return (
    <button
      type="button"
      className="fold quiet"
      title="Colours of the page"
      onClick={() => {
        setTheme(next[value]);
        setValue(next[value]);
      }}
    >
      {{ system: "◑ system", light: "○ light", dark: "● dark" }[value]}
    </button>
  );
}

function Now() {
  const now = useNow();
  const zone = Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
    .formatToParts(now)
    .find(({ type }) => type === "timeZoneName")?.value;
  return (
    <time className="quiet" dateTime={new Date(now).toISOString()} title={new Date(now).toISOString()}>
      {clockText(now, now)} {zone}
    </time>
  );
}
