// Command workload is what runs in the containers of a lab's real node: a server that behaves as its environment says, and, by the
// name of pause, what holds a pod's namespaces.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	if filepath.Base(os.Args[0]) == "pause" {
		<-stop
		return
	}
	if text := os.Getenv("LAB_LOG"); text != "" {
		fmt.Println(text)
	}
	if code, err := strconv.Atoi(os.Getenv("LAB_EXIT")); err == nil {
		os.Exit(code)
	}
	switch {
	case os.Getenv("LAB_EAT") == "memory":
		go eatMemory()
	case os.Getenv("LAB_EAT") == "disk":
		go eatDisk("/tmp/eaten")
	}
	if os.Getenv("LAB_HANG") != "" {
		<-stop
		return
	}
	answer := func(name string) http.HandlerFunc {
		status, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			status = http.StatusOK
		}
		return func(response http.ResponseWriter, _ *http.Request) {
			response.WriteHeader(status)
			fmt.Fprintf(response, "{\"status\":%d}\n", status)
		}
	}
	http.HandleFunc("/ready", answer("LAB_READY"))
	http.HandleFunc("/live", answer("LAB_LIVE"))
	http.HandleFunc("/", answer("LAB_ANSWER"))
	go func() {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(":"+os.Getenv("PORT"), nil))
		os.Exit(1)
	}()
	<-stop
}

func eatMemory() {
	var eaten [][]byte
	for {
		piece := make([]byte, 1<<20)
		for at := range piece {
			piece[at] = 1
		}
		eaten = append(eaten, piece)
		if len(eaten)%64 == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func eatDisk(path string) {
	file, err := os.Create(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	piece := make([]byte, 1<<20)
	// Enough for any limit of these proofs, and never a machine's disk.
	for range 256 {
		if _, err := file.Write(piece); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
	}
}
