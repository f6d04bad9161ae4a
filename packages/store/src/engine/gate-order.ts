interface GatePlace {
  readonly at: number;
  readonly position: number;
  readonly key: string;
  readonly occurrence: number;
  readonly revision: number;
}

/** In which order firings wait: that of log time and of positions, then of keys. */
export function byGateOrder(a: GatePlace, b: GatePlace): number {
  return (
    a.at - b.at ||
    a.position - b.position ||
    (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) ||
    a.occurrence - b.occurrence ||
    a.revision - b.revision
  );
}
