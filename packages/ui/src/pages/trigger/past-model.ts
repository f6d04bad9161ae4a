/** The moments of a trigger's history: which one an address means, and what each changed in the tree. */
import type { ExplanationView, TriggerHistoryView, TriggerMomentView } from "@millrace/protocol";

/** As addresses name it: the position of the entry, or the instant. */
export function momentId({ position, at }: TriggerMomentView): string {
  return position === undefined ? at : String(position);
}

/** Its place among the moments; nothing where it is not among them. */
export function placeOfMoment(moments: readonly TriggerMomentView[], id: string): number | undefined {
  const named = moments.findIndex((moment) => momentId(moment) === id);
  if (named >= 0) return named;
  const isPosition = /^\d+$/.test(id);
  const time = isPosition ? Number.NaN : Date.parse(id);
  const [first] = moments;
  if (!first) return undefined;
  // An entry, or an instant, that changed nothing: how it stood then.
  const before = moments.findLastIndex(({ at, position }) =>
    isPosition ? position !== undefined && position <= Number(id) : Date.parse(at) <= time,
  );
  return before < 0 ? undefined : before;
}

/** The last moment up to an instant; -1 for before all of them. */
export function placeAt(moments: readonly TriggerMomentView[], time: number): number {
  return moments.findLastIndex(({ at }) => Date.parse(at) <= time);
}

/** Where two trees of one condition differ, as paths of places: `0.1`; the root is the empty text. */
export function changedIn(
  before: ExplanationView | undefined,
  after: ExplanationView,
  path = "",
): ReadonlySet<string> {
  const changed = new Set<string>();
  if (before && !isEqual(before, after)) changed.add(path);
  after.of?.forEach((of, at) => {
    const inner = changedIn(before?.of?.[at], of, path === "" ? String(at) : `${path}.${at}`);
    for (const one of inner) changed.add(one);
  });
  return changed;
}

function isEqual(one: ExplanationView, other: ExplanationView): boolean {
  const own = ({ state, text, memberCount, members, due, leftOut }: ExplanationView): string =>
    JSON.stringify([
      state,
      text,
      memberCount,
      members?.map(({ position, at }) => position ?? at),
      due,
      leftOut,
    ]);
  return own(one) === own(other);
}

export interface Lane {
  readonly name: string;
  readonly kind: "operand" | "time" | "fired";
  /** Places of moments. */
  readonly at: readonly number[];
}

/** A lane for each operand, one for what time alone decided where it did, and the firings. */
export function lanesOf({ operands, moments }: TriggerHistoryView): Lane[] {
  const where = (holds: (moment: TriggerMomentView) => boolean): number[] =>
    moments.flatMap((moment, at) => (holds(moment) ? at : []));
  const time = where(({ operands: own, position }) => own.length === 0 && position === undefined);
  return [
    ...operands.map((name): Lane => ({ name, kind: "operand", at: where((m) => m.operands.includes(name)) })),
    ...(time.length === 0 ? [] : [{ name: "time", kind: "time", at: time } as const]),
    { name: "fired", kind: "fired", at: where(({ firings }) => firings.length > 0) },
  ];
}

/** The span that is drawn: from the first moment to the last, with some room. */
export function spanOf({ moments, until }: TriggerHistoryView): {
  readonly from: number;
  readonly until: number;
} {
  const first = moments[0];
  const last = moments.at(-1);
  const end = Date.parse(until.at);
  if (!first || !last) return { from: end - 60_000, until: end };
  const from = Date.parse(first.at);
  const room = Math.max(1_000, (Date.parse(last.at) - from) * 0.03);
  return { from: from - room, until: Date.parse(last.at) + room };
}
