/**
 * The name among `names` that `wrong` was probably meant to be, or `undefined` when none is near: a third of its letters may
 * be wrong, and one more where both begin alike (`pade` for `paid`).
 */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  const [few, some] = [Math.floor(wrong.length / 3), Math.ceil(wrong.length / 3)];
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    const limit = Math.max(1, name[0]?.toLowerCase() === wrong[0]?.toLowerCase() ? some : few);
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase(), limit);
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours; more than `limit` is told as `limit + 1`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[b.length] ?? 0, limit + 1);
}
