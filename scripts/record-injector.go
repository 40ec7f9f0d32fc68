// Answers of the Vault Agent Injector's webhook for pods: reads admission requests on standard input, one JSON array, and writes
// what the API server would make of its answers. Built beside github.com/hashicorp/vault-k8s by scripts/record-injector.ts.
package main

import (
	"encoding/json"
	"os"

	jsonpatch "github.com/evanphx/json-patch"
	"github.com/hashicorp/go-hclog"
	inject "github.com/hashicorp/vault-k8s/agent-inject"
	admission "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

type asked struct {
	Namespace string          `json:"namespace"`
	Pod       json.RawMessage `json:"pod"`
}

type answered struct {
	Refusal string          `json:"refusal,omitempty"`
	Pod     json.RawMessage `json:"pod,omitempty"`
}

func main() {
	var requests []asked
	must(json.NewDecoder(os.Stdin).Decode(&requests))
	// Settings as hashicorp/vault-helm's chart gives them by default (values.yaml, templates/injector-deployment.yaml).
	handler := inject.Handler{
		VaultAddress:       "http://vault.vault.svc:8200",
		VaultAuthPath:      "auth/kubernetes",
		ImageVault:         "hashicorp/vault:2.0.0",
		Log:                hclog.NewNullLogger(),
		UserID:             "100",
		GroupID:            "1000",
		SetSecurityContext: true,
		DefaultTemplate:    "map",
		ResourceRequestCPU: "250m",
		ResourceRequestMem: "64Mi",
		ResourceLimitCPU:   "500m",
		ResourceLimitMem:   "128Mi",
		ExitOnRetryFailure: true,
	}
	answers := []answered{}
	for _, request := range requests {
		response := handler.Mutate(&admission.AdmissionRequest{
			Namespace: request.Namespace,
			Object:    runtime.RawExtension{Raw: request.Pod},
		}).Resp
		if !response.Allowed {
			answers = append(answers, answered{Refusal: response.Result.Message})
			continue
		}
		patched := []byte(request.Pod)
		if response.Patch != nil {
			patch, err := jsonpatch.DecodePatch(response.Patch)
			must(err)
			patched, err = patch.Apply(request.Pod)
			must(err)
		}
		answers = append(answers, answered{Pod: patched})
	}
	must(json.NewEncoder(os.Stdout).Encode(answers))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
