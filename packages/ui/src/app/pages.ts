/** The pages of the frame, in their order; `g` and the letter goes there. */
export const pages = [
  { name: "Pipelines", to: "/pipelines", key: "p" },
  { name: "Runs", to: "/runs", key: "r" },
  { name: "Events", to: "/events", key: "e" },
  { name: "Assets", to: "/assets", key: "l" },
  { name: "Triggers", to: "/triggers", key: "t" },
  { name: "Schedules", to: "/schedules", key: "c" },
] as const;
