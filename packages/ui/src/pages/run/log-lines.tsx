/** Lines of a log: only those that are seen are in the document, however many there are. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef } from "react";
import type { LogEntry } from "@millrace/protocol";
import { exactText } from "../../parts/time-text.ts";
import type { LogState, LogWindow } from "./log-window.ts";
import { nodeName } from "./sentence.ts";
import { logKey } from "./use-run.ts";

const lineHeight = 18;
/** The next page is read when this many lines are left. */
const ahead = 200;

export interface LogLook {
  /** Long lines are broken; else they are moved to the side. */
  readonly isWrapped: boolean;
  /** As it was written, with nothing else. */
  readonly isRaw: boolean;
  readonly find: string | undefined;
  /** The line that was jumped to. */
  readonly marked: string | undefined;
}

interface LogLinesProps {
  readonly window: LogWindow;
  readonly state: LogState;
  readonly look: LogLook;
}

export function LogLines({ window, state, look }: LogLinesProps) {
  const { lines, first, epoch, hasBefore, hasAfter, isReading } = state;
  const { isWrapped, marked } = look;
  const box = useRef<HTMLDivElement>(null);
  const before = useRef({ epoch: -1, first: 0 });
  const isFollowed = useRef(true);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 30,
    getItemKey: (index) => first + index,
  });
  useEffect(() => virtual.measure(), [isWrapped, virtual]);
  useLayoutEffect(() => {
    const was = before.current;
    before.current = { epoch, first };
    if (was.epoch !== epoch) {
      const at = marked === undefined ? -1 : lines.findIndex((entry) => logKey(entry) === marked);
      isFollowed.current = at < 0 && !hasAfter && first === 0 && (hasBefore || lines.length > 0);
      if (at >= 0) virtual.scrollToIndex(at, { align: "center" });
      else if (first < 0) virtual.scrollToIndex(-first, { align: "center" });
      else if (hasAfter && !hasBefore) virtual.scrollToIndex(0);
      else virtual.scrollToIndex(lines.length - 1, { align: "end" });
      return;
    }
    const shift = was.first - first;
    // What is seen stays where it is as lines come before it, or go.
    if (shift !== 0 && box.current) {
      if (isWrapped)
        virtual.scrollToIndex(Math.max(0, (virtual.range?.startIndex ?? 0) + shift), { align: "start" });
      else box.current.scrollTop += shift * lineHeight;
    } else if (isFollowed.current && !hasAfter) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [epoch, first, lines, hasAfter, hasBefore, isWrapped, marked, virtual]);
  const shown = virtual.getVirtualItems();
  const from = shown[0]?.index ?? 0;
  const to = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (isReading || lines.length === 0 || box.current?.clientHeight === 0) return;
    if (from < ahead && hasBefore) window.readBefore();
    else if (to > lines.length - ahead && hasAfter) window.readAfter();
  }, [from, to, lines.length, hasBefore, hasAfter, isReading, window]);
  return (
    <div
      className={isWrapped ? "log whole wrapped" : "log whole"}
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="Log lines"
      aria-live="off"
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        isFollowed.current = scrollTop + clientHeight > scrollHeight - 2 * lineHeight;
        window.follow(isFollowed.current);
      }}
    >
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {shown.map(({ index, start, key }) => {
          const entry = lines[index];
          return entry ? (
            <div
              key={key}
              data-index={index}
              ref={isWrapped ? virtual.measureElement : undefined}
              className={logKey(entry) === marked ? "marked" : undefined}
              style={{ position: "absolute", insetInline: 0, transform: `translateY(${start}px)` }}
            >
              <LogLine entry={entry} withNode={!look.isRaw} isRaw={look.isRaw} find={look.find} />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

interface LogLineProps {
  readonly entry: LogEntry;
  readonly withNode?: boolean;
  readonly isRaw?: boolean;
  readonly find?: string | undefined;
}

export function LogLine({ entry, withNode = false, isRaw = false, find }: LogLineProps) {
  if (isRaw)
    return (
      <div className="log-line">
        <span className="text">{marked(entry.text, find)}</span>
      </div>
    );
  const at = new Date(entry.at);
  return (
    <div className={`log-line ${entry.level}`}>
      <time className="quiet" dateTime={at.toISOString()} title={exactText(at.getTime())}>
        {at.toTimeString().slice(0, 8)}
      </time>
      {withNode && (
        <span className="quiet cut" title={nodeName({ id: entry.node, item: entry.item })}>
          {nodeName({ id: entry.node, item: entry.item })}
        </span>
      )}
      <span className="text">{marked(plain(entry.text), find)}</span>
    </div>
  );
}

// oxlint-disable-next-line eslint/no-control-regex -- colours of a terminal
const terminalCodes = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

function plain(text: string): string {
  return text.includes("\u001b") ? text.replaceAll(terminalCodes, "") : text;
}

/** With what was looked for marked in it. */
function marked(text: string, find: string | undefined) {
  if (find === undefined || find === "") return text;
  const lower = text.toLowerCase();
  const wanted = find.toLowerCase();
  // A letter that is longer in the other case moves what comes after it.
  if (lower.length !== text.length) return text;
  const parts = [];
  let at = 0;
  for (
    let found = lower.indexOf(wanted);
    found >= 0 && parts.length < 100;
    found = lower.indexOf(wanted, at)
  ) {
    parts.push(text.slice(at, found), <mark key={found}>{text.slice(found, found + wanted.length)}</mark>);
    at = found + wanted.length;
  }
  return [...parts, text.slice(at)];
}
