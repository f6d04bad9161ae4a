/** The frame of every page: where one is, what else there is, whether all is well. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Overview, ServerInfo } from "@millrace/protocol";
import { ApiError } from "../api/client.ts";
import { useProject } from "../api/project.ts";
import { one } from "../api/queries.ts";
import { SignIn } from "../pages/sign-in/sign-in.tsx";
import { urgentCount, verdictText } from "../pages/now/sentence.ts";
import { hearKeys, keyText, listKeys, useKeys } from "../parts/keys.ts";
import { countText } from "../parts/number-text.ts";
import { useZoneChoice } from "../parts/zone.ts";
import { KeysDialog } from "./keys-dialog.tsx";
import { Saved } from "../project/saved.tsx";
import { followLog } from "./live-updates.ts";
import { pages } from "./pages.ts";
import { setTheme, themes, useTheme } from "./theme.ts";
import { ZoneChoice } from "./zone-choice.tsx";

/** This clock and the server's may differ. */
const lateSlackMs = 2_000;
/** Timers hold no more. */
const timerMsMax = 2_147_483_647;

const loadPalette = async () => ({ default: (await import("./palette/palette.tsx")).Palette });
const Palette = lazy(loadPalette);

const Broken = lazy(() => import("../project/broken.tsx").then((module) => ({ default: module.Broken })));

export function Shell() {
  const info = useQuery(one("info", "/info"));
  if (info.error instanceof ApiError && info.error.status === 401) return <SignIn />;
  return <Frame info={info.data} />;
}

function Frame({ info }: { readonly info: ServerInfo | undefined }) {
  const queries = useQueryClient();
  const [isLive, setLive] = useState<boolean>();
  useEffect(() => followLog(queries, setLive), [queries]);
  const [isFinding, setFinding] = useState(false);
  const [areKeysShown, setKeysShown] = useState(false);
  const router = useRouter();
  useEffect(
    () =>
      hearKeys(() => {
        const { location, resolvedLocation } = router.state;
        return resolvedLocation !== undefined && location.pathname !== resolvedLocation.pathname;
      }),
    [router],
  );
  // Whoever presses its key goes on writing at once.
  useEffect(() => {
    const idle = requestIdleCallback(() => void loadPalette());
    return () => cancelIdleCallback(idle);
  }, []);
  useFrameKeys(
    () => setFinding(true),
    () => setKeysShown(true),
  );
  const zone = useZoneChoice();
  const { data: overview } = useQuery(one("overview", "/overview"));
  useWhenLate(overview?.lateAt);
  const project = useProject();
  return (
    <div className="frame">
      <header>
        <Link to="/" className="brand">
          <img src="/mark.svg" width={18} height={18} alt="" /> millrace
        </Link>
        <span className="gap" />
        <button type="button" className="finder" onClick={() => setFinding(true)}>
          Find anything <kbd>{keyText("mod+k")}</kbd>
        </button>
        {project?.change && <Saved change={project.change} />}
        <span className="gap" />
        <Verdict overview={overview} />
        <LinkState isLive={isLive} info={info} />
        <ThemeChoice />
        <ZoneChoice />
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
      {/* All times of it change together. */}
      <main key={zone}>
        <Outlet />
      </main>
      {isFinding && (
        <Suspense>
          <Palette onClose={() => setFinding(false)} />
        </Suspense>
      )}
      {areKeysShown && <KeysDialog onClose={() => setKeysShown(false)} />}
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

/** Of what is late no entry of the log tells: the server says when it will be. */
function useWhenLate(at: string | undefined): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (at === undefined) return undefined;
    const waitMs = Math.min(Math.max(0, Date.parse(at) - Date.now()) + lateSlackMs, timerMsMax);
    const timer = setTimeout(() => void queries.invalidateQueries({ queryKey: ["overview"] }), waitMs);
    return () => clearTimeout(timer);
  }, [at, queries]);
}

/** What works on every page. */
function useFrameKeys(onFind: () => void, onKeys: () => void): void {
  const navigate = useNavigate();
  useKeys("Everywhere", [
    { keys: ["mod+k"], does: "finds anything, runs any action", act: onFind, isAlways: true },
    { keys: ["?"], does: "shows these keys", act: onKeys },
  ]);
  useKeys(
    "Go to a page",
    pages.map(({ name, to, key }) => ({
      keys: [`g ${key}`],
      does: name,
      act: () => void navigate({ to }),
    })),
  );
  useKeys("Here", [
    ...listKeys,
    {
      keys: ["/"],
      does: "filters",
      act: () => focusOn(document.querySelector<HTMLElement>("[data-filter]")),
      isThere: () => document.querySelector("[data-filter]") !== null,
    },
    { keys: ["Escape"], does: "closes what is open beside", act: leave, isAlways: true, isThere: hasOpen },
  ]);
}

function focusOn(field: HTMLElement | null): boolean {
  field?.focus();
  if (field instanceof HTMLInputElement) field.select();
  return field !== null;
}

const closing = 'main [aria-label="Close"]';

function hasOpen(): boolean {
  return document.querySelector(closing) !== null;
}

/** The field in which one writes first, then what is open. */
function leave(): boolean {
  const field = document.activeElement;
  if (field instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(field.tagName)) {
    field.blur();
    return true;
  }
  const close = document.querySelector<HTMLElement>(closing);
  close?.click();
  return close !== null;
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
  const value = useTheme();
  const next = themes[(themes.indexOf(value) + 1) % themes.length]!;
  return (
    <button type="button" className="fold quiet" title="Colours of the page" onClick={() => setTheme(next)}>
      {{ system: "◑ system", light: "○ light", dark: "● dark" }[value]}
    </button>
  );
}
