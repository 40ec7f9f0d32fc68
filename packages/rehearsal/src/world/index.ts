export { type RehearsedWorld, standUp } from "./rehearsed-world";
export { shortened } from "./relocated-settings";
