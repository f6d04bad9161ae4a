import { defineConfig } from "millrace";

export default defineConfig({ project: "testbed", include: ["pipelines/*.ts"], pools: { narrow: 1 } });
