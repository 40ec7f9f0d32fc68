export { BundleMissingError, bundleFolder, functionZip } from "./function-zip";
export { writePackedFiles } from "./packed-files";
