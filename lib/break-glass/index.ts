export { open, type Sealing, type SealRequest, seal } from "./seal";
export {
  LIFE_DAYS,
  readSealedCredential,
  type SealedCredential,
  sealedText,
} from "./sealed-credential";
