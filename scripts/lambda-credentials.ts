/**
 * The SDK's default credentials in a function's bundle: Lambda gives them by environment variables, always, and the rest of
 * the SDK's chain (profiles, SSO, processes, container and instance metadata) is a quarter of a bundle that no function
 * of ours may ever use. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";
