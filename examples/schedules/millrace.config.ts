import { defineConfig } from "millrace";

export default defineConfig({ project: "schedules", include: ["pipelines/*.ts"] });
