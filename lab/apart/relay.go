package main

import (
	"io"
	"net"
	"net/http"
	"time"
)

// relay carries each connection to one address on to another one.
func relay(network, address, onNetwork, onAddress string) error {
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				onward, err := net.Dial(onNetwork, onAddress)
				if err != nil {
					_ = connection.Close()
					return
				}
				join(connection, onward)
			}()
		}
	}()
	return nil
}

// join copies both ways until both have ended.
func join(one, other net.Conn) {
	done := make(chan struct{}, 2)
	copy := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		done <- struct{}{}
	}
	go copy(one, other)
	go copy(other, one)
	<-done
	<-done
	_ = one.Close()
	_ = other.Close()
}

// serveProxy answers CONNECT HOST:PORT with a connection to that address as it is seen from here.
func serveProxy(socket string) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			onward, err := net.DialTimeout("tcp", request.Host, 5*time.Second)
			if err != nil {
				http.Error(response, err.Error(), http.StatusBadGateway)
				return
			}
			connection, _, err := http.NewResponseController(response).Hijack()
			if err != nil {
				_ = onward.Close()
				return
			}
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\n\r\n")
			join(connection, onward)
		}))
	}()
	return nil
}
