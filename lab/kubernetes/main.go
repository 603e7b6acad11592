// Command kubernetes is the control plane of one version of Kubernetes: one sub-command for each of its programs.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 || kubernetesParts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: kubernetes apiserver|controller-manager|scheduler [FLAG ...]")
		os.Exit(2)
	}
	part := os.Args[1]
	os.Args = append([]string{part}, os.Args[2:]...)
	if err := kubernetesParts[part](); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", part, err)
		os.Exit(1)
	}
}
