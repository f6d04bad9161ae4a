/**
 * Finds anything by its name and runs any action, by the keyboard alone: pages and actions are at hand, the rest is asked of the
 * server. `run `, `pause `, `resume `, `cancel ` and `rerun ` before a name are actions on what is called so.
 */
import { useQuery } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import type { SearchAnswer, SearchHit } from "@millrace/protocol";
import { get } from "../../api/client.ts";
import { keyText } from "../../parts/keys.ts";
import { State } from "../../parts/state.tsx";
import { Ago } from "../../parts/time.tsx";
import { chooseZone, ownZone, useZoneChoice } from "../../parts/zone.ts";
import { setTheme, themes, useTheme } from "../theme.ts";
import { openZoneChoice } from "../zone-choice.tsx";
import "../../styles/palette.css";
import { Do } from "./doing.tsx";
import {
  askEntries,
  doEntry,
  entriesHere,
  groupOf,
  hitEntry,
  isNamed,
  pageEntries,
  verbIn,
  verbs,
  type Doing,
  type Entry,
  type Verb,
} from "./entries.ts";

/** Between the last key and the question. */
const pauseMs = 120;
const offered = 20;

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const [doing, setDoing] = useState<Doing>();
  if (doing) return <Do doing={doing} onClose={onClose} />;
  return <Finder onDo={setDoing} onClose={onClose} />;
}

interface FinderProps {
  readonly onDo: (doing: Doing) => void;
  readonly onClose: () => void;
}

function Finder({ onDo, onClose }: FinderProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const id = useId();
  const { entries, isSearching, more, error } = useEntries(text);
  const present = Math.min(at, entries.length - 1);
  useEffect(() => dialog.current?.showModal(), []);

  function choose({ what }: Entry): void {
    switch (what.kind) {
      case "go":
        onClose();
        void navigate(what.to);
        break;
      case "do":
        onDo(what.doing);
        break;
      case "ask":
        write(`${what.verb} `);
        break;
      default:
        onClose();
        what.act();
    }
  }

  function write(value: string): void {
    setText(value);
    setAt(0);
  }

  function press(event: KeyboardEvent): void {
    const steps: { readonly [key: string]: number } = {
      ArrowDown: present + 1 < entries.length ? present + 1 : 0,
      ArrowUp: present > 0 ? present - 1 : entries.length - 1,
      PageDown: Math.min(entries.length - 1, present + 10),
      PageUp: Math.max(0, present - 10),
    };
    const next = steps[event.key];
    if (next !== undefined) setAt(next);
    else if (event.key === "Enter" && entries[present]) choose(entries[present]);
    else return;
    event.preventDefault();
  }

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Find anything"
      onClose={onClose}
      onClick={({ target }) => {
        if (target === dialog.current) dialog.current.close();
      }}
    >
      <div className="palette-body">
        <input
          className="palette-field"
          role="combobox"
          aria-label="Find anything"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={entries[present] ? `${id}-${present}` : undefined}
          placeholder="A page, pipeline, run, asset, event, action…"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={({ target }) => write(target.value)}
          onKeyDown={press}
        />
        <Options id={id} entries={entries} present={present} onPoint={setAt} onChoose={choose} />
        <p className="palette-note quiet" role="status">
          {error
            ? `The server could not be asked: ${error.message}`
            : entries.length === 0
              ? isSearching
                ? "Looking…"
                : nothingText(text)
              : more.length > 0
                ? `There are others: write more of the name of ${more.map((kind) => groupOf(kind).toLowerCase()).join(", ")}.`
                : "↑ ↓ moves, Enter opens, Esc closes"}
        </p>
      </div>
    </dialog>
  );
}

function nothingText(text: string): string {
  const asked = verbIn(text);
  if (!asked)
    return "Nothing is called so. Runs are found by the beginning of their id, events by their id or position.";
  const { of } = verbs[asked.verb];
  return of === "run"
    ? `No run to ${asked.verb}: write the beginning of its id.`
    : `No pipeline to ${asked.verb} is called so.`;
}

interface OptionsProps {
  readonly id: string;
  readonly entries: readonly Entry[];
  readonly present: number;
  readonly onPoint: (at: number) => void;
  readonly onChoose: (entry: Entry) => void;
}

function Options({ id, entries, present, onPoint, onChoose }: OptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [present, entries]);
  const groups = Map.groupBy(entries.entries(), ([, { group }]) => group);
  return (
    <div ref={list} id={`${id}-list`} role="listbox" aria-label="What is found" className="palette-list">
      {[...groups].map(([group, members]) => (
        <div key={group} role="group" aria-label={group}>
          <div className="palette-group" aria-hidden="true">
            {group}
          </div>
          {members.map(([index, entry]) => (
            <div
              key={entry.id}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === present}
              className="palette-option"
              onPointerMove={() => {
                if (index !== present) onPoint(index);
              }}
              onClick={() => onChoose(entry)}
            >
              <Words entry={entry} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

function Words({ entry: { name, about, hint, hit } }: { readonly entry: Entry }) {
  return (
    <>
      {hit?.state !== undefined && <State state={hit.state} isBare />}
      <span className={hit?.kind === "run" ? "mono" : undefined}>{name}</span>
      {about !== undefined && <span className="quiet cut">{about}</span>}
      <span className="gap" />
      {hit?.paused && <span className="quiet">paused</span>}
      {hit?.at !== undefined && (
        <span className="quiet">
          <Ago at={hit.at} />
        </span>
      )}
      {hint !== undefined && <kbd>{keyText(hint)}</kbd>}
    </>
  );
}

interface Offer {
  readonly entries: readonly Entry[];
  readonly isSearching: boolean;
  readonly more: SearchAnswer["more"];
  readonly error: Error | null;
}

function useEntries(text: string): Offer {
  const path = useLocation({ select: ({ pathname }) => pathname });
  const settings = useSettingEntries();
  const asked = verbIn(text);
  const late = useLate(text);
  const query = useQuery({
    queryKey: ["search", late],
    queryFn: ({ signal }) => look(late, signal),
    enabled: late.trim() !== "",
    placeholderData: (before) => before,
    staleTime: 0,
    gcTime: 60_000,
  });
  const isSearching = text !== late || query.isFetching;
  const { items, more } = query.data ?? { items: [], more: [] };
  const rest = { isSearching, error: query.error };
  const own = [...entriesHere(path), ...pageEntries(), ...askEntries(), ...settings];
  if (text.trim() === "") return { entries: own, more: [], isSearching: false, error: null };
  const named = own.filter((entry) => isNamed(entry, text.trim()));
  // What was found for another text may still be here.
  const hits = items.filter((hit) => isHit(hit, asked?.rest ?? text.trim()));
  if (!asked) return { entries: [...named, ...hits.map(hitEntry)], more, ...rest };
  const { verb } = asked;
  const done = hits
    .filter((hit) => fits(verb, hit))
    .map((hit): Entry => ({ ...doEntry(verb, hit.id, "Actions"), ...aboutOf(hit) }));
  return {
    entries: [...done, ...named.filter(({ id }) => !done.some((one) => one.id === id))],
    more: [],
    ...rest,
  };
}

function isHit({ id, name }: SearchHit, text: string): boolean {
  const wanted = text.toLowerCase();
  return [id, name].some((one) => one.toLowerCase().includes(wanted));
}

function aboutOf(hit: SearchHit): Partial<Entry> {
  return { hit, ...(hit.about === undefined ? {} : { about: hit.about }) };
}

function fits(verb: Verb, { kind, paused }: SearchHit): boolean {
  if (kind !== verbs[verb].of) return false;
  return verb === "pause" ? paused !== true : verb === "resume" ? paused === true : true;
}

async function look(text: string, signal: AbortSignal): Promise<SearchAnswer> {
  const asked = verbIn(text);
  if (!asked) return get("/search", { q: text.trim().slice(0, 200) }, signal);
  const { verb, rest } = asked;
  const kinds = verbs[verb].of;
  if (rest !== "") return get("/search", { q: rest.slice(0, 200), kinds, limit: offered }, signal);
  return { items: await newest(verb, signal), more: [] };
}

/** What is offered before anything of its name is written. */
async function newest(verb: Verb, signal: AbortSignal): Promise<SearchHit[]> {
  if (verbs[verb].of === "pipeline") {
    const { items } = await get("/pipelines", { limit: 1_000 }, signal);
    const known = items.filter(({ retired }) => !retired);
    return known.map(({ name, paused }) => ({ kind: "pipeline", id: name, name, paused }));
  }
  const state = verb === "rerun" ? "failed" : "running";
  const { items } = await get("/runs", { limit: offered, state }, signal);
  return items.map((run) => ({
    kind: "run",
    id: run.id,
    name: run.id,
    about: run.pipeline,
    state: run.state,
    at: run.createdAt,
  }));
}

/** What the text was once nothing was written for a moment. */
function useLate(text: string): string {
  const [late, setLate] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setLate(text), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return late;
}

function useSettingEntries(): readonly Entry[] {
  const theme = useTheme();
  const zone = useZoneChoice();
  const entry = (name: string, about: string, act: () => void): Entry => ({
    id: name,
    group: "Settings",
    name,
    about,
    what: { kind: "act", act },
  });
  return [
    entry("Copy the address of this page", "to share it", () => {
      void navigator.clipboard.writeText(location.href);
    }),
    ...themes
      .filter((one) => one !== theme)
      .map((one) =>
        entry(`Colours: ${one === "system" ? "as the system has them" : one}`, "theme", () => setTheme(one)),
      ),
    ...(zone === "UTC" ? [] : [entry("Times in UTC", "time zone", () => chooseZone("UTC"))]),
    ...(zone === "local" ? [] : [entry(`Times in ${ownZone()}`, "time zone", () => chooseZone("local"))]),
    entry("Times in another zone…", "time zone", openZoneChoice),
  ];
}
