// Command node is a lab's node with a kubelet and containerd of its own, in namespaces of its own: ends its first process, and the
// kernel ends all others, their mounts and their network with it.
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func runKubelet() error {
	os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	return nil
}

var parts = map[string]func() error{
	"node":    runNode,
	"inside":  runInside,
	"kubelet": runKubelet,
}

func main() {
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: node node|kubelet [FLAG ...]")
		os.Exit(2)
	}
	part := os.Args[1]
	os.Args = append([]string{part}, os.Args[2:]...)
	if err := parts[part](); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", part, err)
		os.Exit(1)
	}
}
