import { defineConfig } from "millrace";

export default defineConfig({ project: "waits-in-code", include: ["pipelines/*.ts"] });
