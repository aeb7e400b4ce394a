import { defineConfig } from "vitest/config";

const everywhere = ["**/node_modules/**", "**/dist/**", "**/.tessera/**"];

/** One copy of graphql, the one that Node gives everyone: Vite alone would take its ES module build beside it. */
const resolve = { alias: { graphql: "graphql/index.js" } };

/** Tests are in the project of what they need: nothing, a database (`.db.test.ts`), workerd, a whole platform. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        resolve,
        test: {
          name: "unit",
          include: [
            "{regions,schema,subgraphs}/**/*.test.ts",
            "test/{sandbox,house,bench,simulator}/**/*.test.ts",
          ],
          exclude: [
            ...everywhere,
            "**/*.db.test.ts",
            "test/bench/smoke.test.ts",
            "test/simulator/simulate.test.ts",
          ],
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        test: {
          name: "database",
          include: ["{regions,schema,subgraphs,test/simulator}/**/*.db.test.ts"],
          exclude: everywhere,
          globalSetup: ["test/support/postgres-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "edge",
          include: ["edge/**/*.test.ts"],
          exclude: everywhere,
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "start",
          include: ["test/start/**/*.test.ts"],
          exclude: everywhere,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/bench/smoke.test.ts", "test/simulator/simulate.test.ts"],
          exclude: everywhere,
          // Each brings up a platform; two at once would measure each other.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
