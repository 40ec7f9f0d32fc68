export { addRehearseCommand } from "./rehearse-command";
export { renderRehearsal } from "./render-rehearsal";
