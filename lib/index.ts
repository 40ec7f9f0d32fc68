/**
 * The registry and what follows from it, as plain data: no infrastructure engine is loaded here. The constructs
 * are in `cdktf-secrets-registry/constructs`, a ready stack in `cdktf-secrets-registry/stacks`.
 */
export * from "./blueprint";
export * from "./contracts";
export * from "./model";
