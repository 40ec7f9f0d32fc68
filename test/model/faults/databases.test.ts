import { days } from "../../../lib/model";
import { redisToken, vaultDatabase } from "../sample";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of databases: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a login that the store does not have",
    change: (d) => {
      d.secrets["db/app"].settings.login = "dynamic";
    },
    ways: [
      (d) => {
        d.secrets["db/app"].settings.login = "alternating";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].settings.login',
        found: '"dynamic"',
        allowed: "alternating with store aws",
        change: "choose one of them, or the other store",
      },
    ],
  },
  {
    name: "a static login that claims two slots",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].settings.login = "static";
      d.secrets["db/ro"].acceptedBy = "target";
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/ro"].acceptedBy',
        found: '"target" with login "static"',
        allowed: "single-slot: a static role has one password",
        change: "remove it, or choose another login",
      },
    ],
  },
  {
    name: "a writer's host without a reader",
    change: (d) => {
      d.secrets["db/app"].settings.writerHost = "w.example.com";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.writerHost',
        found: '"w.example.com"',
        allowed: "a writer's host with store vault only: with store aws the login is made on `host`",
        change: "remove it, and let `host` be the writer",
      },
    ],
  },
  {
    name: "a replica's writer and a pooler's server at once",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.writerHost = "w.example.com";
      d.secrets["db/ro"].settings.server = { host: "db.example.com" };
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.writerHost',
        found: '"w.example.com"',
        allowed: "either a writer's host, where `host` is a replica, or the server behind a pooler",
        change: "remove it, and let `server` be the writer",
      },
    ],
  },
  {
    name: "names that templates would read, and that PostgreSQL would cut",
    change: (d) => {
      d.secrets["db/app"].settings.database = "app{{name}}";
      d.secrets["db/app"].settings.schemas = ["ä".repeat(32)];
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.database',
        found: '"app{{name}}"',
        allowed:
          "a PostgreSQL name of at most 63 bytes, without control characters, braces, and white space at its ends",
        change: "use the name as PostgreSQL shows it (\\du, \\l, \\dn), without quotes around it",
      },
      {
        path: 'secrets["db/app"].settings.schemas[0]',
        found: `"${"ä".repeat(32)}"`,
        allowed:
          "a PostgreSQL name of at most 63 bytes, without control characters, braces, and white space at its ends",
        change: "use the name as PostgreSQL shows it (\\du, \\l, \\dn), without quotes around it",
      },
    ],
    ways: [
      (d) => {
        Object.assign(d.secrets["db/app"].settings, { database: "app", schemas: ["ä".repeat(31)] });
      },
    ],
  },
  {
    name: "a connection's user without a connection",
    change: (d) => {
      d.secrets["db/app"].settings.connectionUser = "app_vault";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.connectionUser',
        found: '"app_vault"',
        allowed:
          "a connection's user with store vault only: with store aws the secret `admin` names the login that makes logins",
        change: "remove it, or choose store vault",
      },
    ],
  },
  {
    name: "a connection's user that PostgreSQL would cut",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.connectionUser = "c".repeat(59);
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.connectionUser',
        found: `"${"c".repeat(59)}"`,
        allowed: "at most 58 bytes, so that <connectionUser>_<Vault> fits PostgreSQL's 63",
        change: "choose a shorter one",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.connectionUser = "c".repeat(58);
      },
    ],
  },
  {
    name: "a connection that logs in as the login which it rotates",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      Object.assign(d.secrets["db/ro"].settings, {
        login: "static",
        role: "reporting_main",
        connectionUser: "reporting",
      });
    },
    faults: [
      {
        path: 'secrets["db/ro"].settings.connectionUser',
        found: '"reporting", which makes the connection log in as reporting_main',
        allowed: "a user that is not the one it looks after",
        change: "choose another one",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.connectionUser = "looks-after";
      },
    ],
  },
  {
    name: "a static login in two Vaults",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.login = "static";
      d.environments.dev.vaults.push({
        name: "second",
        address: "https://second.example.com",
        regions: ["eu-west-1"],
      });
    },
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.login = "dynamic";
      },
      (d) => {
        d.environments.dev.vaults.pop();
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].settings.login',
        found: '"static", in 2 Vaults',
        allowed: "one Vault: each would change the password of the same login, and make the others' invalid",
        change: "choose dynamic, or an environment with one Vault",
      },
    ],
  },
  {
    name: "two connections with one user",
    change: (d) => {
      const here = { prod: { presence: "absent" } };
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: here };
      d.secrets["db/two"] = { ...vaultDatabase(), environments: here };
      for (const [key, role] of [
        ["db/ro", "one"],
        ["db/two", "two"],
      ])
        Object.assign(d.secrets[String(key)].settings, { role, connectionUser: "shared" });
    },
    faults: [
      {
        path: 'secrets["db/two"].environments.dev.settings',
        found: 'the database user shared_main on ro.example.com:5432, which secrets["db/ro"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/two"].settings.connectionUser = "own";
      },
    ],
  },
  {
    name: "a lease longer than its maximum",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].settings.ttl = days(8);
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.maxTtl = days(9);
      },
      (d) => {
        d.secrets["db/ro"].settings.ttl = days(1);
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].settings.ttl',
        found: "8 days",
        allowed: "at most maxTtl, 7 days",
        change: "shorten ttl, or lengthen maxTtl",
      },
    ],
  },
  {
    name: "a maximum lease beyond Vault's",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].settings.maxTtl = days(40);
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.maxTtl = days(32);
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].settings.maxTtl',
        found: "40 days",
        allowed: "at most 32 days, Vault's own limit for leases",
        change: "shorten it",
      },
    ],
  },
  {
    name: "ElastiCache without a replication group",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      delete d.secrets["redis/app"].settings.replicationGroup;
    },
    faults: [
      {
        path: 'secrets["redis/app"].environments.dev.settings.replicationGroup',
        found: "nothing",
        allowed: "the id of the ElastiCache replication group, with engine elasticache",
        change: "add it",
      },
      {
        path: 'secrets["redis/app"].environments.prod.settings.replicationGroup',
        found: "nothing",
        allowed: "the id of the ElastiCache replication group, with engine elasticache",
        change: "add it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["redis/app"].settings.replicationGroup = "app";
      },
    ],
  },
  {
    name: "two rotators for one database user",
    change: (d) => {
      d.secrets["db/other"] = { ...d.secrets["db/app"], settings: { database: "other", role: "app" } };
    },
    ways: [
      (d) => {
        d.secrets["db/other"].settings.role = "other";
      },
      (d) => {
        delete d.secrets["db/other"];
      },
    ],
    faults: [
      {
        path: 'secrets["db/other"].environments.dev.settings',
        found: 'the database user app on db.dev.example.com:5432, which secrets["db/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
      {
        path: 'secrets["db/other"].environments.prod.settings',
        found: 'the database user app on db.prod.example.com:5432, which secrets["db/app"] rotates in prod',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
  {
    name: "a rotator for one login of another's pair",
    change: (d) => {
      d.secrets["db/ro"] = {
        ...vaultDatabase(),
        settings: { host: "db.dev.example.com", database: "app", role: "app_b", login: "static" },
        environments: { prod: { presence: "absent" } },
      };
    },
    faults: [
      {
        path: 'secrets["db/ro"].environments.dev.settings',
        found: 'the database user app_b on db.dev.example.com:5432, which secrets["db/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.role = "reporting";
      },
      (d) => {
        delete d.secrets["db/ro"];
      },
    ],
  },
  {
    name: "two rotators for one replication group",
    change: (d) => {
      d.secrets["redis/app"] = { ...redisToken(), environments: { prod: { presence: "absent" } } };
      d.secrets["redis/two"] = { ...redisToken(), environments: { prod: { presence: "absent" } } };
    },
    ways: [
      (d) => {
        d.secrets["redis/two"].settings.replicationGroup = "two";
      },
      (d) => {
        delete d.secrets["redis/two"];
      },
    ],
    faults: [
      {
        path: 'secrets["redis/two"].environments.dev.settings',
        found: 'the auth token of replication group app, which secrets["redis/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
  },
];

testFaults(CASES);
