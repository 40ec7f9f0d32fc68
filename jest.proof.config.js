/** The proofs that take minutes: `npm run prove`. @type {import('jest').Config} */
module.exports = { ...require("./jest.config.js"), testMatch: ["**/*.proof.ts"] };
