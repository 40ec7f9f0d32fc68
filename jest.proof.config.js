/** The proofs that take minutes: `npm run prove`. @type {import('jest').Config} */
module.exports = {
  ...require("./jest.config.js"),
  testMatch: ["**/*.proof.ts"],
  // They time refusals while functions are killed: one at a time on two cores.
  maxWorkers: "50%",
};
