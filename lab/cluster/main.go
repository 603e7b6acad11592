// Command lab holds every part of mcprt's lab cluster in one program: one sub-command per process.
//
// All parts are the real ones, linked from their own modules; only what stands between a pod and a process
// (sub-command "cert-manager-pod") and what answers HTTP-01 for cert-manager's solver pods ("challenges") is ours.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

// parts maps a sub-command to its main. Each reads os.Args as if it were a program of its own.
var parts = map[string]func() error{
	"etcd":             runEtcd,
	"kubectl":          func() error { return exit(cli.Run(kubectl.NewDefaultKubectlCommand())) },
	"cert-manager":     runCertManager,
	"cert-manager-pod": runCertManagerPod,
	"acme":             runACME,
	"challenges":       runChallenges,
	"kubeconfigs":      runKubeconfigs,
}

func main() {
	maps.Copy(parts, kubernetesParts)
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		fmt.Fprintf(os.Stderr, "usage: lab PART [FLAG ...], with PART one of: %s\n", strings.Join(slices.Sorted(maps.Keys(parts)), ", "))
		os.Exit(2)
	}
	part := os.Args[1]
	os.Args = append([]string{part}, os.Args[2:]...)
	if err := parts[part](); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", part, err)
		os.Exit(1)
	}
}
