import { defineConfig } from "millrace";

export default defineConfig({ project: "approvals", include: ["pipelines/*.ts"] });
