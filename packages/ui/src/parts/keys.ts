/**
 * The keys of the page, and the one place that hears them.
 *
 * K1: nothing is done while somebody types, but for what `isAlways` marks.
 * K2: while a dialog stands before the page, the page's keys do nothing.
 * K3: what an element has taken for itself (its default is prevented) is left alone.
 * K4: of two that want a key, the one that came last has it, unless it says that it is not its turn.
 * K5: what is pressed while another page is on its way is not for the page that is being left.
 */
import { useEffect, useRef, type RefObject } from "react";

export interface PageKey {
  /** `j`, `?`, `mod+k` (⌘ or Ctrl), `g r`: any of them. */
  readonly keys: readonly string[];
  readonly does: string;
  /** `false`: it is not its turn. */
  readonly act: () => boolean | void;
  /** Whether there is something here for it: for the list of keys. */
  readonly isThere?: () => boolean;
  /** Also while somebody types. */
  readonly isAlways?: boolean;
}

export interface KeyGroup {
  readonly title: string;
  readonly keys: readonly PageKey[];
}

const groups = new Set<{ current: KeyGroup }>();

/** These keys work as long as the component is there. */
export function useKeys(title: string, keys: readonly PageKey[]): void {
  const group = useRef<KeyGroup>({ title, keys });
  useEffect(() => {
    group.current = { title, keys };
  });
  useEffect(() => {
    groups.add(group);
    return () => void groups.delete(group);
  }, []);
}

/** Those that have something to do on this page. */
export function keysHere(): readonly KeyGroup[] {
  return [...groups]
    .toReversed()
    .map(({ current: { title, keys } }) => ({
      title,
      keys: keys.filter(({ isThere }) => isThere?.() ?? true),
    }))
    .filter(({ keys }) => keys.length > 0);
}

/** A list whose lines the keys walk over. */
export interface ListKeys {
  /** `false`: there is no line further on. `isFresh`: no line of it was the present one. */
  readonly move: (step: 1 | -1, isFresh: boolean) => boolean;
  /** `false`: no line is the present one, or it leads nowhere. */
  readonly open: () => boolean;
}

const lists = new Map<RefObject<HTMLElement | null>, RefObject<ListKeys>>();

export function useListKeys(element: RefObject<HTMLElement | null>, list: ListKeys): void {
  const kept = useRef(list);
  useEffect(() => {
    kept.current = list;
  });
  useEffect(() => {
    lists.set(element, kept);
    return () => void lists.delete(element);
  }, [element]);
}

/** For lists that stand in the document as a whole: their lines are those within that have `data-keys` and can be focused. */
export function useLineKeys(element: RefObject<HTMLElement | null>): void {
  const lines = (): HTMLElement[] => [
    ...(element.current?.querySelectorAll<HTMLElement>("[data-keys]") ?? []),
  ];
  useListKeys(element, {
    move: (step, isFresh) => {
      const all = lines();
      const present = all.findIndex((line) => line.contains(document.activeElement));
      const next = isFresh && step === -1 ? all.at(-1) : all[present + step];
      next?.focus();
      return next !== undefined;
    },
    open: () => {
      const target = firstLinkOf(lines().find((line) => line === document.activeElement));
      target?.click();
      return target !== undefined;
    },
  });
}

/** What Enter on a line follows: the link that is marked with `data-opens`, or the first. */
export function firstLinkOf(line: Element | null | undefined): HTMLElement | undefined {
  return (
    line?.querySelector<HTMLElement>("[data-opens]") ??
    line?.querySelector<HTMLElement>("a[href], button") ??
    undefined
  );
}

interface ShownList {
  readonly element: HTMLElement;
  readonly keys: ListKeys;
}

/** As they stand on the page. */
function listsShown(): readonly ShownList[] {
  return [...lists]
    .flatMap(([{ current: element }, { current: keys }]) => (element ? [{ element, keys }] : []))
    .filter(({ element }) => element.isConnected && element.checkVisibility())
    .sort((a, b) =>
      a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1,
    );
}

function presentList(shown: readonly ShownList[]): ShownList | undefined {
  return shown.find(({ element }) => element.contains(document.activeElement));
}

/** From line to line, and from list to list. */
function moveInLists(step: 1 | -1): boolean {
  const shown = listsShown();
  const present = presentList(shown);
  if (present?.keys.move(step, false)) return true;
  const from = present ? shown.indexOf(present) + step : step === 1 ? 0 : -1;
  for (let at = from; at >= 0 && at < shown.length; at += step)
    if (shown[at]!.keys.move(step, true)) return true;
  return present !== undefined;
}

export const listKeys: readonly PageKey[] = [
  {
    keys: ["j", "ArrowDown"],
    does: "to the next line",
    act: () => moveInLists(1),
    isThere: () => lists.size > 0,
  },
  {
    keys: ["k", "ArrowUp"],
    does: "to the line before",
    act: () => moveInLists(-1),
    isThere: () => lists.size > 0,
  },
  {
    keys: ["Enter"],
    does: "opens the line",
    act: () => presentList(listsShown())?.keys.open() ?? false,
    isThere: () => lists.size > 0,
  },
];

/** How long the second key of two may take. */
const pairMs = 1_500;

/** Until what it returns is called. `isLeaving`: another page is on its way. */
export function hearKeys(isLeaving: () => boolean): () => void {
  let first = "";
  let firstAt = 0;
  const hear = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = nameOf(event);
    if (key === undefined) return;
    const pair = event.timeStamp - firstAt < pairMs ? `${first} ${key}` : undefined;
    first = key;
    firstAt = event.timeStamp;
    const done = isLeaving() || actOn(event, key, pair);
    if (!done) return;
    event.preventDefault();
    first = "";
  };
  document.addEventListener("keydown", hear);
  return () => document.removeEventListener("keydown", hear);
}

function actOn(event: KeyboardEvent, key: string, pair: string | undefined): boolean {
  const isTyped = isTyping(event.target);
  if (document.querySelector("dialog:modal")) return false;
  // Arrows scroll, and Enter follows a link: they are ours in a list alone.
  if (/^(?:Arrow|Enter)/.test(key) && !isListLine(event.target)) return false;
  const all = [...groups].toReversed().flatMap(({ current }) => current.keys);
  // The second of two goes before the same key by itself.
  for (const wanted of pair === undefined ? [key] : [pair, key])
    for (const { keys, act, isAlways } of all)
      if (keys.includes(wanted) && (isAlways || !isTyped) && act() !== false) return true;
  return false;
}

function nameOf({ key, metaKey, ctrlKey, altKey }: KeyboardEvent): string | undefined {
  if (altKey || ["Shift", "Control", "Meta", "Alt"].includes(key)) return undefined;
  return metaKey || ctrlKey ? `mod+${key.toLowerCase()}` : key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(?:TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return (
    target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit"].includes(target.type)
  );
}

/** A line itself, or the list as a whole: what stands in a line has its own Enter. */
function isListLine(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.dataset["keys"] !== undefined;
}

/** For people: `⌘ K`, `g then r`. */
export function keyText(key: string): string {
  const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
  const names: { readonly [key: string]: string } = {
    ArrowDown: "↓",
    ArrowUp: "↑",
    Enter: "Enter",
    Escape: "Esc",
  };
  if (key.startsWith("mod+")) return `${isMac ? "⌘" : "Ctrl"} ${key.slice(4).toUpperCase()}`;
  if (key.includes(" ")) return key.replace(" ", " then ");
  return names[key] ?? key;
}
