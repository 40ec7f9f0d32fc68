import { days } from "../../../lib/model";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of the form of a definition: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a date that is none",
    change: (d) => {
      d.secrets["db/app"].retired = "2026-02-30";
      d.secrets["db/app"].consumers = [];
    },
    faults: [
      {
        path: 'secrets["db/app"].retired',
        found: '"2026-02-30"',
        allowed: "a date such as 2026-12-31",
        change: "write year, month and day",
      },
    ],
  },
  {
    name: "a misspelt setting of one of several forms",
    change: (d) => {
      d.workloads.backend.reload = { how: "redeploy", deploymnt: "api" };
    },
    faults: [
      {
        path: "workloads.backend.reload.deploymnt",
        found: "a setting that does not exist",
        allowed: "how, command, deployment",
        change: 'write "deployment"',
      },
    ],
  },
  {
    name: "a description that IAM does not take",
    change: (d) => {
      d.workloads.backend.description = "API — the backend";
    },
    faults: [
      {
        path: "workloads.backend.description",
        found: '"API — the backend"',
        allowed: "one line of Latin-1 text, at most 256 characters, as IAM takes descriptions",
        change: "leave out other characters, such as long dashes and curly quotes",
      },
    ],
    ways: [
      (d) => {
        d.workloads.backend.description = "API: the backend";
      },
    ],
  },
  {
    name: "an owner that AWS does not take as a tag",
    change: (d) => {
      d.secrets["db/app"].owner = "team <a>";
    },
    faults: [
      {
        path: 'secrets["db/app"].owner',
        found: '"team <a>"',
        allowed: "letters, digits, spaces and _ . : / = + - @, at most 256 characters, as AWS tags take them",
        change: "leave out other characters: it becomes a tag",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].owner = "team a";
      },
    ],
  },
  {
    name: "a setting of a secret that does not exist",
    change: (d) => {
      d.secrets["db/app"].rotateevery = days(30);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateevery',
        found: "a setting that does not exist",
        allowed:
          "kind, description, owner, consumers, rotateEvery, schedule, store, acceptedBy, rotation, dualWrite, overlap, classification, files, admin, network, renamedFrom, retired, settings, environments",
        change: 'write "rotateEvery"',
      },
    ],
  },
  {
    name: "a part of the registry that does not exist",
    change: (d) => {
      d.secret = {};
    },
    faults: [
      {
        path: "secret",
        found: "a part that does not exist",
        allowed: "one of id, environments, workloads, secrets, accessRules",
        change: "remove it, or correct its spelling",
      },
    ],
  },
  {
    name: "a part of the registry that is missing",
    change: (d) => {
      delete d.workloads;
    },
    faults: [
      {
        path: "workloads",
        found: "nothing",
        allowed: "an object whose properties are the entries",
        change: "add it",
      },
    ],
    ways: [
      (d) => {
        d.workloads = { backend: { namespace: "backend" }, payments: { namespace: "payments" } };
      },
    ],
  },
];

testFaults(CASES);
