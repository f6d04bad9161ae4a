import { defineConfig } from "millrace";

export default defineConfig({ project: "branch-and-rules", include: ["pipelines/*.ts"] });
