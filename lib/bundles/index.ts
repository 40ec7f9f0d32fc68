export { BundleMissingError, bundleFolder, type FunctionZip, functionZip } from "./function-zip";
export { writePackedFiles } from "./packed-files";
