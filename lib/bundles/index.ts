export { BundleMissingError, bundleFolder, type FunctionZip, functionZip } from "./function-zip";
