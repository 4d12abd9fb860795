// @ts-check
import tseslint from "typescript-eslint";

/**
 * The rooms of src/ and what each may import (DESIGN: dependencies point one way).
 * A room that is missing here may import nothing but the leaves.
 */
const leaves = ["errors", "config", "log"];
const rooms = {
  db: [],
  schedules: [],
  manifest: ["schedules", "targets"],
  deploy: ["db", "manifest"],
  dispatch: ["db", "secrets", "targets", "worker"],
  worker: ["db"],
  client: ["targets"],
  targets: ["worker"],
  secrets: ["db", "targets"],
  testing: ["db", "worker"],
  api: ["db", "manifest", "schedules", "secrets", "targets"],
  dev: ["db", "deploy", "api", "dispatch", "worker", "manifest", "schedules", "secrets", "targets"],
  cli: [
    "client",
    "db",
    "deploy",
    "api",
    "worker",
    "manifest",
    "schedules",
    "secrets",
    "dev",
    "dispatch",
    "targets",
  ],
};

const roomRules = Object.entries(rooms).map(([room, allowed]) => {
  const closed = Object.keys(rooms).filter((other) => other !== room && !allowed.includes(other));
  // The client is typed by the server's schemas, and takes nothing of it along.
  const rule =
    room === "client" ? "@typescript-eslint/no-restricted-imports" : "no-restricted-imports";
  const message = `src/${room} may import only itself, ${[...leaves, ...allowed].join(", ")}.`;
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      [rule]: [
        "error",
        {
          patterns: closed.map((other) => ({
            group: [`**/${other}/**`],
            message,
            ...(room === "client" ? { allowTypeImports: true } : {}),
          })),
          paths: ["db", "dev"].includes(room)
            ? []
            : [{ name: "postgres", message: "Talk to the database through src/db." }],
        },
      ],
    },
  };
});

export default tseslint.config(
  { ignores: ["dist", "node_modules", "coverage", "docker/.build"] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.recommendedTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/consistent-type-definitions": "off",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
      "no-console": "error",
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["src/cli/**/*.ts", "src/dev/**/*.ts", "src/manifest/generate.ts", "test/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["src/**/*.ts"],
    // The client speaks to the API, and what begins there is a request.
    ignores: ["src/client/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.property.name=/^(begin|reserve)$/]",
          message:
            "postgres.js may end the process here when the server goes away; see src/db/transactions.ts.",
        },
      ],
    },
  },
  { files: ["test/**/*.ts"], rules: { "max-lines-per-function": "off" } },
  {
    // The page: talks only to the API, by its client.
    files: ["web/src/**/*.{ts,tsx}"],
    rules: {
      "max-lines-per-function": ["error", { max: 120, skipBlankLines: true, skipComments: true }],
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["**/../src/**", "node:*"],
              message: "web/ talks to the server only: import carillon/client.",
            },
          ],
        },
      ],
    },
  },
  { files: ["**/*.config.ts"], rules: { "no-restricted-exports": "off" } },
  ...roomRules,
);
