/**
 * Events of our own on EventBridge. Their source is our own as well: `PutEvents` refuses sources that begin with `aws.`, on AWS as on
 * the embedded server. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
 */

/** Source of the procedure's events. */
export const PROCEDURE_SOURCE = "secrets-registry.procedure";
/** Source of entries of Vault's and OpenBao's audit devices, put by whoever ships them. */
export const VAULT_SOURCE = "secrets-registry.vault";

/** Detail type of a run's record: the detail is the record. */
export const RUN_RECORDED = "Rotation Run Recorded";
/** Detail type of one audit entry: the detail is the entry. */
export const VAULT_AUDIT_ENTRY = "Vault Audit Entry";
