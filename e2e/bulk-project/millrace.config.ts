import { defineConfig } from "millrace";

export default defineConfig({ project: "e2e-bulk", include: ["pipelines/*.ts"], pools: { wide: 500 } });
