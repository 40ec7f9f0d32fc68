export { AddressCollisionError, hideIdsBelow, setAddress } from "./address";
export * from "./aws";
export * from "./kubernetes";
export {
  chosen,
  type RegistryParts,
  type RegistryProviders,
  SecretsRegistry,
  type SecretsRegistryProps,
  type WorkloadReference,
} from "./secrets-registry";
export { SharedProviderError } from "./shared-providers";
export * from "./vault";
