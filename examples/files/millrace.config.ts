import { defineConfig } from "millrace";

export default defineConfig({ project: "files", include: ["pipelines/*.ts"] });
