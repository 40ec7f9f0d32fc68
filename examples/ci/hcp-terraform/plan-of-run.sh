#!/usr/bin/env bash
# Fetches the plan of a run of HCP Terraform (or Terraform Enterprise) for a preview, without what the state holds.
#
#   TFE_TOKEN=… examples/ci/hcp-terraform/plan-of-run.sh run-bWSq4YeYpfrW4mx7 > prod.json
#   secrets-registry preview --base base/cdktf.out --head cdktf.out --plan prod=prod.json
#
# TFE_TOKEN    token of a user or team with access to plans; from the environment, so that no list of processes shows it
# TFE_ADDRESS  address of the service (https://app.terraform.io)
# WAIT         seconds until the plan has to be there (900)
# https://developer.hashicorp.com/terraform/cloud-docs/api-docs/plans#retrieve-the-json-execution-plan
set -euo pipefail
run=${1:?the ID of a run}
: "${TFE_TOKEN:?is a token of the service}" "${TFE_ADDRESS:=https://app.terraform.io}" "${WAIT:=900}"
whole=$(mktemp)
trap 'rm -f "$whole"' EXIT
until_second=$((SECONDS + WAIT))
while :; do
  # The token goes to the service alone: curl takes it out when it follows the redirection to another host.
  status=$(curl --silent --show-error --location --retry 3 --output "$whole" --write-out '%{http_code}' \
    --header @<(printf 'Authorization: Bearer %s\n' "$TFE_TOKEN") \
    "$TFE_ADDRESS/api/v2/runs/$run/plan/json-output")
  case "$status" in
    200) break ;;
    204) # It is not finished.
      if [ "$SECONDS" -ge "$until_second" ]; then
        echo "The plan of $run is not finished after $WAIT seconds." >&2
        exit 1
      fi
      sleep "${PAUSE:-5}" ;;
    *)
      echo "$TFE_ADDRESS gave no plan of $run (status $status)." >&2
      exit 1 ;;
  esac
done
"$(dirname "$0")/../reduced-plan.sh" < "$whole"
