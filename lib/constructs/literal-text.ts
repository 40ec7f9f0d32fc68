/**
 * Text as Terraform must be given it to mean just that text. Terraform reads every string of its JSON as a template:
 * `${…}` and `%{…}` in a description would be run as an expression. Only for plain text: a token would become text.
 */
export const literalText = (text: string): string =>
  text.replaceAll("${", () => "$${").replaceAll("%{", () => "%%{");

/** A policy document, or other plain data, as literal JSON text. */
export const literalJson = (value: object): string => literalText(JSON.stringify(value));
