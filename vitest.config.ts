import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{cli,edge,regions,schema,subgraphs,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
