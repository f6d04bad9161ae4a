import { files } from "millrace";

export const landing = files("landing", {
  folder: "landing",
  glob: "**/*.csv",
  settle: { quiet: "200ms" },
  rescan: "2s",
});
