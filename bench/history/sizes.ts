import type { HistorySizes } from "./project.ts";

export const historySizes: { readonly short: HistorySizes; readonly full: HistorySizes } = {
  short: {
    runs: 20_000,
    nodes: 5,
    pipelines: 20,
    days: 10,
    lattice: { runs: 200, nodes: 50 },
    events: 20_000,
    partitions: 400,
    live: 100,
    deployments: 10,
  },
  full: {
    runs: 1_000_000,
    nodes: 20,
    pipelines: 200,
    days: 30,
    lattice: { runs: 1_000, nodes: 50 },
    events: 1_000_000,
    partitions: 20_000,
    live: 4_000,
    deployments: 60,
  },
};
