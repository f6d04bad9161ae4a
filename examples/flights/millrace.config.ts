import { defineConfig } from "millrace";

export default defineConfig({ project: "flights", include: ["pipelines/*.ts"] });
