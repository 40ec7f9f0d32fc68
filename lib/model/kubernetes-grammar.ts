import { form, matches } from "./text-grammar";

/** Forms of Kubernetes' names, and of paths in containers. */

/** Stands for the secret's Vault path in a template: a word of its own, not part of a longer one. */
export const SECRET_PATH = /(?<!\w)SECRET_PATH(?!\w)/g;

const isDnsLabel = matches(/^(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);

/** A Kubernetes namespace: RFC 1123 label. */
export const dnsLabel = form(isDnsLabel, {
  allowed: "an RFC 1123 label: lower-case letters, digits, hyphens inside, at most 63 characters",
  change: "use the name as Kubernetes knows it",
});

/** A star stands for a part of a label between hyphens, or for its end. */
const hasOneStar = (value: string): boolean => /^[^*]+-\*(-[^*]+)?$/.test(value);

/** Pattern of an environment's namespaces. */
export const namespacePattern = form(
  (value) =>
    (value.includes("{namespace}") || value.includes("*")) &&
    (!value.includes("*") || hasOneStar(value)) &&
    isDnsLabel(value.replaceAll("{namespace}", "n").replaceAll("{environment}", "e").replace("*", "s")),
  {
    allowed:
      "a pattern with {namespace} and, if wanted, {environment} that makes RFC 1123 labels, such as {namespace}-{environment}; in development with * for preview environments, such as preview-*",
    change: "write it in that form, or leave it out",
  },
);

/** A Kubernetes namespace, or those of preview environments: `preview-*`. */
export const namespaceOrPattern = form(
  (value) => (!value.includes("*") || hasOneStar(value)) && isDnsLabel(value.replace("*", "s")),
  {
    allowed:
      "an RFC 1123 label: lower-case letters, digits, hyphens inside, at most 63 characters; in development with one * after a hyphen, such as preview-*",
    change: "use the name as Kubernetes knows it",
  },
);

/** A ServiceAccount's name: RFC 1123 subdomain. */
export const dnsSubdomain = form(
  matches(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/),
  {
    allowed:
      "an RFC 1123 subdomain: lower-case letters, digits, hyphens and dots inside, at most 253 characters",
    change: "use the name as Kubernetes knows it",
  },
);

/** An EKS cluster's name. */
export const clusterName = form(matches(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/), {
  allowed: "an EKS cluster name: letters, digits, hyphens and underscores, at most 100 characters",
  change: "use the cluster's own name",
});

/** Folders that an image's programs or the agent's container live in: a volume in their place hides them. */
const TAKEN_FOLDERS =
  /^\/(bin|boot|dev|etc|home|lib|lib32|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|vault)$|^\/(dev|proc|sys|usr\/(bin|lib|lib64|sbin|share)|etc\/(pki|ssl|ssl\/certs))(\/|$)|^\/(home\/vault|vault\/(agent-cache|configs|custom|tls))(\/|$)|^\/(var\/)?run(\/secrets(\/(kubernetes|vault\.hashicorp\.com|eks\.amazonaws\.com|pods\.eks\.amazonaws\.com).*)?)?$/;

/** A folder of a container in which a volume can be mounted. */
export const containerFolder = form(
  (value) =>
    /^(\/[A-Za-z0-9._-]+)+$/.test(value) &&
    !/\/\.{1,2}(\/|$)/.test(value) &&
    value.length <= 200 &&
    !TAKEN_FOLDERS.test(value),
  {
    allowed:
      "the absolute path of a folder of its own, of letters, digits, dots, hyphens and underscores, such as /etc/app/secrets",
    change: "name a folder that holds nothing else: the volume hides what an image or the agent has there",
  },
);
