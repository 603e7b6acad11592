// relay carries each connection to one address on to another one. While it is stopped (SIGSTOP) whatever passes through it is late.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: relay LISTEN TARGET")
		os.Exit(2)
	}
	if err := relay(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func relay(listen, target string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			onward, err := net.Dial("tcp", target)
			if err != nil {
				_ = connection.Close()
				return
			}
			go carry(onward, connection)
			carry(connection, onward)
		}()
	}
}

// carry copies until one of both ends, and closes both.
func carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}
