// Package main's part that every oracle has: what asks one version of cert-manager something, case by case. An oracle is built in a
// copy of that version's module, as most of what it asks only cert-manager's own module may import (lab/driver/oracle.ts).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// serve reads questions as JSON lines, and writes their answers as such, in the same order.
func serve(answer func(question []byte) any) {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			if failed := encoder.Encode(answer(line)); failed != nil {
				fmt.Fprintln(os.Stderr, failed)
				os.Exit(1)
			}
		}
		// Whoever asks sends a batch and waits: what is answered goes out when nothing more is there to read.
		if in.Buffered() == 0 || err != nil {
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}
