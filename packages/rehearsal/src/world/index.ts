export { type RehearsedWorld, standUp, type WorldOptions } from "./rehearsed-world";
export { shortened } from "./relocated-settings";
