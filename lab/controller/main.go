// Command controller is cert-manager's controllers of one version alone: what the lab runs in place of its own with
// --cert-manager. It is compiled in a copy of that version's module, with certmanager.go and selfcheck.go of lab/cluster.
package main

import (
	"fmt"
	"os"
)

// It is started as the lab's program is: with the name of the part first.
func main() {
	os.Args = os.Args[1:]
	if err := runCertManager(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
