export * from "./assert.ts";
export * from "./canonical-json.ts";
export * from "./error/catalogue.ts";
export * from "./error/millrace-error.ts";
export * from "./graph/definition.ts";
export * from "./json.ts";
export * from "./nearest-name.ts";
export * from "./retry/policy.ts";
