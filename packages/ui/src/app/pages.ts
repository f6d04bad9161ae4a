/** The pages of the frame, in their order; `g` and the letter goes there. */
export const pages = [
  { name: "Now", to: "/", key: "n" },
  { name: "Pipelines", to: "/pipelines", key: "p" },
  { name: "Runs", to: "/runs", key: "r" },
  { name: "Events", to: "/events", key: "e" },
  { name: "Assets", to: "/assets", key: "l" },
  { name: "Triggers", to: "/triggers", key: "t" },
  { name: "Schedules", to: "/schedules", key: "c" },
  { name: "Approvals", to: "/approvals", key: "a" },
  { name: "Workers", to: "/workers", key: "w" },
  { name: "System", to: "/system", key: "s" },
] as const;
