/** Last runs and next firings of the pipelines that are in view: one request for all that ask at the same time. */
import { queryOptions } from "@tanstack/react-query";
import type { RecentView } from "@millrace/protocol";
import { get } from "../../api/client.ts";

const gatherMs = 20;
const namesMax = 100;

interface Asked {
  readonly name: string;
  readonly resolve: (view: RecentView) => void;
  readonly reject: (cause: unknown) => void;
}

let asked: Asked[] = [];

function load(name: string): Promise<RecentView> {
  return new Promise((resolve, reject) => {
    if (asked.length === 0) setTimeout(() => void fetchAll(), gatherMs);
    asked.push({ name, resolve, reject });
  });
}

async function fetchAll(): Promise<void> {
  const all = asked;
  asked = [];
  for (let from = 0; from < all.length; from += namesMax) {
    const part = all.slice(from, from + namesMax);
    try {
      const names = part.map(({ name }) => name).join(",");
      const { items } = await get("/pipelines/recent", { names });
      const byName = new Map(items.map((item) => [item.pipeline, item]));
      for (const { name, resolve } of part) resolve(byName.get(name) ?? { pipeline: name, runs: [] });
    } catch (cause) {
      for (const { reject } of part) reject(cause);
    }
  }
}

export function recentOf(name: string) {
  return queryOptions({
    queryKey: ["pipelines", "recent", name],
    queryFn: () => load(name),
    staleTime: 10_000,
    retry: false,
  });
}
