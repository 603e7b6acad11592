// Command kstatus says of workloads what kstatus does: it reads an object a line, and writes its status and the reason of it. It is
// built with lab/cluster/lines.go beside it (lab/driver/own-module.ts).
package main

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type answer struct {
	Status string `json:"status,omitempty"`
	Why    string `json:"why,omitempty"`
	// Error says why the object has no status at all.
	Error string `json:"error,omitempty"`
}

func main() {
	serve(func(line []byte) any { return judge(line) })
}

func judge(line []byte) answer {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(line); err != nil {
		return answer{Error: err.Error()}
	}
	result, err := status.Compute(object)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Status: result.Status.String(), Why: result.Message}
}
