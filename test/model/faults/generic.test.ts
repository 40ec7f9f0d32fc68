import { type Draft, genericPassword, s3Key } from "../sample";
import { type FaultCase, testFaults } from "./fault-case";

const generic = (settings: Draft): Draft => ({ ...genericPassword(), settings });
const assisted = (settings: Draft): Draft => ({ ...generic(settings), rotation: "operator-assisted" });
const httpCheck = (more: Draft = {}): Draft => ({
  how: "http",
  url: "https://api.example.com/account",
  auth: { scheme: "bearer", tokenField: "value" },
  ...more,
});
const sqlCheck = (more: Draft = {}): Draft => ({
  how: "sql",
  host: "db.example.com",
  database: "app",
  passwordField: "value",
  ...more,
});

/** Faults of generic secrets: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a single slot with dual write",
    change: (d) => {
      d.secrets["app/password"] = genericPassword();
      d.secrets["app/password"].dualWrite = true;
    },
    faults: [
      {
        path: 'secrets["app/password"].dualWrite',
        found: "true, for a credential with a single slot",
        allowed: "no dual write: the old credential dies when the new one is made",
        change: "remove it, or choose a kind that accepts two credentials at once",
      },
    ],
  },
  {
    name: "fields that are one variable of a shell",
    change: (d) => {
      d.secrets["app/password"] = {
        ...assisted({ fields: ["api-key", "version"], config: { apiKey: "x" } }),
        consumers: [{ workload: "backend", files: [{ format: "env", version: true }] }],
      };
    },
    ways: [
      (d) => {
        d.secrets["app/password"].consumers = ["backend"];
      },
      (d) => {
        d.secrets["app/password"].settings = { fields: ["api-key", "release"], config: { apiUrl: "x" } };
      },
    ],
    faults: [
      {
        path: 'secrets["app/password"].settings.fields',
        found: "api-key, which is API_KEY in a file of format env, as apiKey is",
        allowed: "names that differ as variables of a shell, which has no hyphens and here no small letters",
        change: "rename one of the two, or choose format json",
      },
      {
        path: 'secrets["app/password"].settings.fields',
        found: "version, which is VERSION in a file of format env, as the version's id is",
        allowed: "names that differ as variables of a shell, which has no hyphens and here no small letters",
        change: "rename one of the two, or choose format json",
      },
    ],
  },
  {
    name: "a field that no JSON key should be",
    change: (d) => {
      d.secrets["app/password"] = assisted({ fields: ["api.key"] });
    },
    ways: [
      (d) => {
        d.secrets["app/password"].settings.fields = ["api-key"];
      },
    ],
    faults: [
      {
        path: 'secrets["app/password"].settings.fields[0]',
        found: '"api.key"',
        allowed:
          "letters, digits, hyphens and underscores, beginning with a letter, at most 63 characters, such as api-key",
        change: "leave out other characters: it is a key of the value's JSON",
      },
    ],
  },
  {
    name: "rules that make more than one value holds",
    change: (d) => {
      const fields = Array.from({ length: 40 }, (_, index) => `key-${index}`);
      d.secrets["app/password"] = generic({
        fields,
        generate: Object.fromEntries(
          fields.map((name) => [name, { how: "bytes", bytes: 1_024, encoding: "hex" }]),
        ),
      });
    },
    ways: [
      (d) => {
        for (const rule of Object.values<Draft>(d.secrets["app/password"].settings.generate)) rule.bytes = 32;
      },
    ],
    faults: [
      {
        path: 'secrets["app/password"].settings.fields',
        found: expect.stringMatching(
          /^40 fields that make a value of up to 8\d{4} bytes, with the settings that it keeps$/,
        ),
        allowed: "65536 bytes in one value (Secrets Manager)",
        change: "split it into several secrets, or shorten what the rules make",
      },
    ],
  },
  {
    name: "a rule for no field",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { token: { how: "bytes" } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.token',
        found: "a rule for no field",
        allowed: "one of value",
        change: "correct the name, or add the field",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate = { value: { how: "bytes" } };
      },
      (d) => {
        d.secrets["app/password"].settings.fields = ["token"];
      },
    ],
  },
  {
    name: "a rule of an unknown sort",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { value: { how: "uuid" } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.how',
        found: '"uuid"',
        allowed: "a known value of how",
        change: "write it in one of those forms",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.value.how = "bytes";
      },
    ],
  },
  {
    name: "a password that is too easy",
    change: (d) => {
      d.secrets["app/password"] = generic({
        generate: { value: { how: "password", length: 20, characters: ["digit"] } },
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.length',
        found: "20",
        allowed: "at least 34 characters out of 10: 112 bits",
        change: "lengthen it, or add a class of characters",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.value.length = 34;
      },
      (d) => {
        d.secrets["app/password"].settings.generate.value.characters = ["digit", "lower", "upper"];
      },
    ],
  },
  {
    name: "a password of one character",
    change: (d) => {
      const rule = { how: "password", characters: ["symbol"], symbols: "!" };
      d.secrets["app/password"] = generic({ generate: { value: rule } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.length',
        found: "nothing",
        allowed: "more than one character to choose from",
        change: "add a class of characters, or more symbols",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.value.characters = ["symbol", "lower", "upper", "digit"];
      },
      (d) => {
        d.secrets["app/password"].settings.generate.value.symbols = "!#%+-./:=?@^_~";
      },
    ],
  },
  {
    name: "symbols without their class",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { value: { how: "password", symbols: "!" } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.symbols',
        found: '"!"',
        allowed: "symbols with class symbol in characters only",
        change: "add the class, or remove symbols",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.value.characters = ["lower", "upper", "digit", "symbol"];
      },
      (d) => {
        delete d.secrets["app/password"].settings.generate.value.symbols;
      },
    ],
  },
  {
    name: "symbols that are none",
    change: (d) => {
      d.secrets["app/password"] = generic({
        generate: { value: { how: "password", characters: ["lower", "symbol"], symbols: "a!" } },
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.symbols',
        found: '"a!"',
        allowed: "ASCII punctuation, each character once",
        change: "leave out letters, digits, spaces and repetitions",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.value.symbols = "!";
      },
    ],
  },
  {
    name: "too few random bytes",
    change: (d) => {
      d.secrets["app/password"] = generic({ generate: { value: { how: "bytes", bytes: 8 } } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate.value.bytes',
        found: "8",
        allowed: "at least 16",
        change: "raise it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.value.bytes = 16;
      },
    ],
  },
  {
    name: "rules for a part of a value that a person supplies",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        fields: ["username", "password"],
        generate: { password: { how: "bytes" } },
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.generate',
        found: "no rule for username, with rotation operator-assisted",
        allowed: "a rule for every field, or none: a person supplies the whole value, or nothing of it",
        change: "add the rules, remove them all, or put public parts into config",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.generate.username = { how: "bytes" };
      },
      (d) => {
        delete d.secrets["app/password"].settings.generate;
      },
      (d) => {
        Object.assign(d.secrets["app/password"].settings, {
          fields: ["password"],
          config: { username: "robot" },
        });
      },
    ],
  },
  {
    name: "a field twice",
    change: (d) => {
      d.secrets["app/password"] = generic({ fields: ["token", "token"] });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.fields[1]',
        found: '"token" a second time',
        allowed: "each field once",
        change: "remove it",
      },
    ],
  },
  {
    name: "an entry of config with a field's name",
    change: (d) => {
      d.secrets["app/password"] = generic({ fields: ["login"], config: { login: "x" } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.config.login',
        found: "the name of a field of the value",
        allowed: "names that no field has: pods get both in one object",
        change: "rename it, or remove the field",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.config = { user: "x" };
      },
      (d) => {
        delete d.secrets["app/password"].settings.fields;
      },
    ],
  },
  {
    name: "a check of a value that nobody has taken to the target",
    change: (d) => {
      d.secrets["app/password"] = generic({ check: httpCheck() });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check',
        found: "a check by http with rotation automatic",
        allowed: "no check: nobody has taken the new value to the target when it would be tried",
        change: "remove it, or choose rotation operator-assisted",
      },
    ],
  },
  {
    name: "a target that nobody tells",
    change: (d) => {
      d.secrets["app/password"] = { ...generic({ check: httpCheck() }), acceptedBy: "target" };
    },
    faults: [
      {
        path: 'secrets["app/password"].acceptedBy',
        found: '"target" with rotation automatic',
        allowed: "single-slot: nothing can show this of an unknown target",
        change: "choose rotation operator-assisted, or a kind that knows the target",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].rotation = "operator-assisted";
      },
      (d) => {
        d.secrets = { ...d.secrets, "app/password": s3Key() };
      },
    ],
  },
  {
    name: "a target that cannot be asked whether the old credential is dead",
    change: (d) => {
      d.secrets["app/password"] = { ...assisted({}), acceptedBy: "target" };
    },
    faults: [
      {
        path: 'secrets["app/password"].environments.dev.settings.check',
        found: "nothing",
        allowed: "a check, with acceptedBy target: it shows that the old credential is dead",
        change: "add it, or choose acceptedBy single-slot",
      },
      {
        path: 'secrets["app/password"].environments.prod.settings.check',
        found: "nothing",
        allowed: "a check, with acceptedBy target: it shows that the old credential is dead",
        change: "add it, or choose acceptedBy single-slot",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check = httpCheck();
      },
      (d) => {
        d.secrets["app/password"].acceptedBy = "single-slot";
      },
    ],
  },
  {
    name: "a generic secret that own workloads accept",
    change: (d) => {
      d.secrets["app/password"] = { ...generic({}), acceptedBy: "own-workloads" };
    },
    faults: [
      {
        path: 'secrets["app/password"].acceptedBy',
        found: '"own-workloads"',
        allowed: "single-slot or target for kind generic",
        change: "remove it: the kind knows who accepts it",
      },
    ],
  },
  {
    name: "a check that names no field",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ auth: { scheme: "bearer", tokenField: "token" } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.tokenField',
        found: '"token", which is no field',
        allowed: "one of value",
        change: "name the field that holds the credential; never the credential itself",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.auth.tokenField = "value";
      },
    ],
  },
  {
    name: "a header that names no field",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ auth: { scheme: "header", headers: { "X-Key": "key", "X-Good": "value" } } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.headers["X-Key"]',
        found: '"key", which is no field',
        allowed: "one of value",
        change: "name the field that holds the credential; never the credential itself",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.auth.headers["X-Key"] = "value";
      },
    ],
  },
  {
    name: "a user name that is neither a field nor a text of config",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        config: { port: 1, login: "x" },
        check: sqlCheck({ usernameFrom: "port" }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.usernameFrom',
        found: '"port", which is no field and no text of config',
        allowed: "one of value, login",
        change: "name where the user name stands; never the user name itself",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.usernameFrom = "login";
        d.secrets["app/password"].environments = {
          dev: { settings: { config: { port: 1, login: "dev" } } },
        };
      },
    ],
  },
  {
    name: "two credentials at a time for one PostgreSQL login",
    change: (d) => {
      d.secrets["app/password"] = {
        ...assisted({ config: { login: "x" }, check: sqlCheck({ usernameFrom: "login" }) }),
        acceptedBy: "target",
      };
      d.secrets["app/password"].environments = { dev: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.usernameFrom',
        found: '"login", which stays the same, with acceptedBy target',
        allowed: "a field: PostgreSQL keeps one password for a login, so the new credential is another login",
        change: "put the user name into a field, or choose acceptedBy single-slot",
      },
    ],
    ways: [
      (d) => {
        Object.assign(d.secrets["app/password"].settings, { fields: ["login", "value"], config: {} });
      },
      (d) => {
        d.secrets["app/password"].acceptedBy = "single-slot";
      },
    ],
  },
  {
    name: "a text in an answer to HEAD",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ method: "HEAD", expect: { bodyIncludes: "ok" } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.expect.bodyIncludes',
        found: "a text, with method HEAD",
        allowed: "no text: an answer to HEAD has no body",
        change: "choose GET, or remove it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.method = "GET";
      },
      (d) => {
        delete d.secrets["app/password"].settings.check.expect.bodyIncludes;
      },
    ],
  },
  {
    name: "a check by HTTP without TLS",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ url: "http://127.0.0.1/" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.url',
        found: '"http://127.0.0.1/"',
        allowed: "an https URL without user, password, query and fragment",
        change: "give scheme, host and path only",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.url = "https://127.0.0.1/";
      },
    ],
  },
  {
    name: "a check by HTTP with a query",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ url: "https://api.example.com/?key=x" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.url',
        found: '"https://api.example.com/?key=x"',
        allowed: "an https URL without user, password, query and fragment",
        change: "give scheme, host and path only",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.url = "https://api.example.com/";
      },
    ],
  },
  {
    name: "a check by HTTP with a user",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ url: "https://robot@api.example.com/" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.url',
        found: '"https://robot@api.example.com/"',
        allowed: "an https URL without user, password, query and fragment",
        change: "give scheme, host and path only",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.url = "https://api.example.com/";
      },
    ],
  },
  {
    name: "a check that changes something",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ method: "DELETE" }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.method',
        found: '"DELETE"',
        allowed: "one of GET, HEAD",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a statement that is no query",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: sqlCheck({ usernameFrom: "value", statement: "SELECT 1; DROP TABLE x" }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.statement',
        found: '"SELECT 1; DROP TABLE x"',
        allowed: "one SELECT in one line, without semicolon",
        change: "write a query that shows the login's right and changes nothing",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.statement = "SELECT count(*) FROM x";
      },
    ],
  },
  {
    name: "a good answer that is none",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ expect: { status: 302 } }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.expect.status',
        found: "302",
        allowed: "at most 299",
        change: "lower it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.expect.status = 204;
      },
    ],
  },
  {
    name: "a refusal that is none",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: httpCheck({ expect: { refusedStatus: 200 } }) });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.expect.refusedStatus',
        found: "200",
        allowed: "at least 400",
        change: "raise it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.expect.refusedStatus = 403;
      },
    ],
  },
  {
    name: "a header that is HTTP's own",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({ auth: { scheme: "header", headers: { Host: "value" } } }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.headers',
        found: '{"Host":"value"}',
        allowed: "names of HTTP headers that carry a credential, each once",
        change: "use the name from the target's documentation, such as X-Api-Key",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.auth.headers = { "X-Api-Key": "value" };
      },
    ],
  },
  {
    name: "a check without a way to present the credential",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: { how: "http", url: "https://api.example.com/" } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth',
        found: "nothing",
        allowed: "a value (object)",
        change: "add it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.auth = { scheme: "bearer", tokenField: "value" };
      },
    ],
  },
  {
    name: "a check of an unknown sort",
    change: (d) => {
      d.secrets["app/password"] = assisted({ check: { how: "ldap" } });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.how',
        found: '"ldap"',
        allowed: "a known value of how",
        change: "write it in one of those forms",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check = httpCheck();
      },
      (d) => {
        d.secrets["app/password"].settings.check = sqlCheck({ usernameFrom: "value" });
      },
    ],
  },
  {
    name: "a credential where a field's name belongs",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        check: httpCheck({
          auth: { scheme: "bearer", tokenField: ["sk", "live", "51Habcdefghi"].join("_") },
        }),
      });
    },
    faults: [
      {
        path: 'secrets["app/password"].settings.check.auth.tokenField',
        found: "a text that looks like a credential (not shown)",
        allowed: "no secret value: the registry describes secrets, it does not hold them",
        change: "remove it, and rotate that credential: it has been in a file",
      },
      {
        path: 'secrets["app/password"].settings.check.auth.tokenField',
        found: "a text that looks like a credential (not shown), which is no field",
        allowed: "one of value",
        change: "name the field that holds the credential; never the credential itself",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.check.auth.tokenField = "value";
      },
    ],
  },
  {
    name: "a check of a login that another secret rotates",
    change: (d) => {
      d.secrets["app/password"] = assisted({
        config: { login: "app_b" },
        check: sqlCheck({ host: "db.dev.example.com", usernameFrom: "login" }),
      });
      d.secrets["app/password"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["db/app"].environments.dev.settings',
        found:
          'the database user app_b on db.dev.example.com:5432, which secrets["app/password"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/password"].settings.config.login = "robot";
      },
      (d) => {
        delete d.secrets["app/password"];
      },
    ],
  },
  {
    name: "one user of an HTTP target in two secrets",
    change: (d) => {
      const basic = { scheme: "basic", usernameFrom: "login", passwordField: "value" };
      const one = (path: string) => ({
        ...assisted({
          config: { login: "robot" },
          check: httpCheck({ url: `https://api.example.com/${path}`, auth: basic }),
        }),
        environments: { dev: { presence: "absent" } },
      });
      d.secrets["app/password"] = one("a");
      d.secrets["app/token"] = one("b");
    },
    faults: [
      {
        path: 'secrets["app/token"].environments.prod.settings',
        found: 'the user robot of https://api.example.com, which secrets["app/password"] rotates in prod',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
    ways: [
      (d) => {
        d.secrets["app/token"].settings.config.login = "robot-two";
      },
      (d) => {
        delete d.secrets["app/token"];
      },
    ],
  },
];

testFaults(CASES);
