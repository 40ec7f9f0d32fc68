import type { Fault } from "../../../lib/model";
import { fieldsRead, readTemplate } from "../../../lib/model/template-text";
import { type Draft, draft, genericPassword, vaultDatabase } from "../sample";
import { faultsOf } from "./fault-case";

const WITH = '{{ with secret "SECRET_PATH" }}';
const END = "{{ end }}";

function faultsWith(
  template: string,
  change: (d: Draft) => void = () => undefined,
  key = "db/app",
): readonly Fault[] {
  const definition = draft();
  change(definition);
  definition.secrets[key].files = [{ format: "template", path: "app.conf", template }];
  return faultsOf(definition);
}

const generic = (d: Draft): void => {
  d.secrets["app/key"] = { ...genericPassword(), settings: { fields: ["api-key", "pin"] } };
};
const vault = (d: Draft): void => {
  d.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
};

test.each<[string, string, Partial<Fault>, string?, ((d: Draft) => void)?]>([
  [
    "a field that the kind does not have",
    `${WITH}{{ .Data.data.pasword }}${END}`,
    {
      found: "the template of app.conf, which reads .Data.data.pasword",
      allowed: "fields of a postgresql-user: username, password, _version, _settings",
      change: "write .Data.data.password",
    },
  ],
  [
    "a value outside of KV's data",
    `${WITH}{{ .Data.password }}${END}`,
    {
      found: "the template of app.conf, which reads .Data.password",
      allowed: "the value's fields in .Data.data, as Vault's KV has them",
      change: "write .Data.data.password",
    },
  ],
  [
    "a field with a hyphen after a dot",
    `${WITH}{{ .Data.data.api-key }}${END}`,
    {
      found: "the template of app.conf, which reads .Data.data.api-…",
      change: 'write {{ index .Data.data "…" }} for a field with a hyphen',
    },
    "app/key",
    generic,
  ],
  [
    "an indexed field that is not there",
    `${WITH}{{ index .Data.data "api-kee" }}${END}`,
    { found: "the template of app.conf, which reads .Data.data.api-kee", change: "write .Data.data.api-key" },
    "app/key",
    generic,
  ],
  [
    "KV's form for what an engine makes",
    `${WITH}{{ .Data.data.password }}${END}`,
    {
      found: "the template of app.conf, which reads .Data.data.password",
      allowed: "fields of a postgresql-user: username, password",
    },
    "db/ro",
    vault,
  ],
  [
    "a block that nothing ends",
    `${WITH}{{ .Data.data.password }}`,
    { found: "the template of app.conf, with 1 of with, if or range without {{ end }}" },
  ],
  [
    "an end too many",
    `${WITH}x${END}${END}`,
    { found: "the template of app.conf, with an {{ end }} that ends nothing" },
  ],
  [
    "braces that nothing closes",
    `${WITH}{{ .Data.data.password${END.slice(0, -2)}`,
    { found: "the template of app.conf, with an action that no }} ends" },
  ],
])("%s", (_, template, said, key = "db/app", change) => {
  expect(faultsWith(template, change, key)).toEqual([
    {
      path: `secrets["${key}"].files`,
      found: expect.any(String),
      allowed: expect.any(String),
      change: expect.any(String),
      ...said,
    },
  ]);
});

test.each<[string, string?, ((d: Draft) => void)?]>([
  [`${WITH}{{ .Data.data.password }}${END}`],
  [
    `{{- with secret "SECRET_PATH" -}}{{ .Data.data.username }}:{{ .Data.data.password | toJSON }}{{- end -}}`,
  ],
  [`${WITH}{{ with index .Data.data "_settings" }}{{ .host }}${END}${END}`],
  [`${WITH}{{ range $k, $v := .Data.data }}{{ $k }}={{ $v }}${END}${END}`],
  [`${WITH}{{ .Data.metadata.version }}{{ .LeaseID }}${END}`],
  [`{{/* {{ not an action }} */}}${WITH}{{ "}} {{" }}{{ \`{{ .Data.nothing }}\` }}${END}`],
  [`${WITH}{{ if .Data.data.password }}a{{ else }}b${END}${END}`],
  [`${WITH}x${END}{{ with secret "kv-dev/data/other" }}{{ .Data.data.whatever }}${END}`],
  [`${WITH}{{ index .Data.data "api-key" }}{{ .Data.data.pin }}${END}`, "app/key", generic],
  [`${WITH}{{ .Data.username }}${END}`, "db/ro", vault],
  [`{{ $s := secret "SECRET_PATH" }}{{ $s.Data.data.password }}`],
])("%s is taken", (template, key = "db/app", change) => {
  expect(faultsWith(template, change, key)).toEqual([]);
});

test("strings of an action are read apart from its words", () => {
  const reading = readTemplate('{{ printf "%s }} %s" .Data.data.a (index .Data.data "b-c") }}');
  expect(reading.problem).toBeUndefined();
  const actions = reading.problem === undefined ? reading.actions : [];
  expect(fieldsRead(actions).map(({ path }) => path.join("."))).toEqual([
    "Data.data.a",
    "Data.data",
    "Data.data.b-c",
  ]);
});
