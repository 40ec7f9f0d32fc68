/**
 * Bytes of a secret's value.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
export const VALUE_BYTES = 65_536;
