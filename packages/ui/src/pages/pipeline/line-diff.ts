/** What differs between two texts, line by line. */
export interface DiffLine {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
  /** From 1, of the side that has it; of `same` lines the later. */
  readonly line: number;
}

/** Cells of the table that is filled at most: beyond, the middle is told as replaced whole. */
const cellsMax = 4_000_000;

export function diffLines(before: string, after: string): DiffLine[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  )
    tail += 1;
  const same = (from: number, to: number): DiffLine[] =>
    now.slice(from, to).map((text, at) => ({ kind: "same", text, line: from + at + 1 }));
  return [
    ...same(0, head),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail), head),
    ...same(now.length - tail, now.length),
  ];
}

function middle(old: readonly string[], now: readonly string[], head: number): DiffLine[] {
  const removed = (at: number): DiffLine => ({ kind: "removed", text: old[at]!, line: head + at + 1 });
  const added = (at: number): DiffLine => ({ kind: "added", text: now[at]!, line: head + at + 1 });
  const width = now.length + 1;
  if ((old.length + 1) * width > cellsMax)
    return [...old.map((_, at) => removed(at)), ...now.map((_, at) => added(at))];
  // How many lines are common from here on.
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      common[i * width + j] =
        old[i] === now[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: "same", text: now[j]!, line: head + j + 1 });
      i += 1;
      j += 1;
    } else if (
      i < old.length &&
      (j >= now.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push(removed(i));
      i += 1;
    } else {
      lines.push(added(j));
      j += 1;
    }
  }
  return lines;
}

/** Lines with as many around them as are shown; what is left out between is a number of lines. */
export function folded(lines: readonly DiffLine[], around = 3): (DiffLine | number)[] {
  const shown = new Set<number>();
  lines.forEach(({ kind }, at) => {
    if (kind === "same") return;
    for (let near = at - around; near <= at + around; near += 1) shown.add(near);
  });
  const parts: (DiffLine | number)[] = [];
  let left = 0;
  lines.forEach((line, at) => {
    if (!shown.has(at)) {
      left += 1;
      return;
    }
    if (left > 0) parts.push(left);
    left = 0;
    parts.push(line);
  });
  return left > 0 ? [...parts, left] : parts;
}
