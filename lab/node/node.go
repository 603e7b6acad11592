package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// layout is what the driver has laid out for a node.
type layout struct {
	// Folder holds the node's files; each socket of it is below Folder, too.
	Folder string `json:"folder"`
	// Inward are addresses of the machine that are reached by the same address inside.
	Inward []string `json:"inward"`
	// Outward are addresses inside that are reached by the same address from outside.
	Outward []string `json:"outward"`
	// Proxy is the address outside of an HTTP proxy (CONNECT) that reaches the node's pods.
	Proxy string `json:"proxy"`
	// Containerd and Kubelet are the two programs with their arguments.
	Containerd []string `json:"containerd"`
	Kubelet    []string `json:"kubelet"`
	// Socket is containerd's.
	Socket string `json:"socket"`
	Path   string `json:"path"`
}

func readLayout() (layout, error) {
	file := flag.String("layout", "", "file that says where everything is")
	flag.Parse()
	var found layout
	text, err := os.ReadFile(*file)
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(text, &found)
}

// runNode makes the namespaces and carries connections over their border, by sockets in the node's folder: a listener belongs to the
// network that it was made in, a file does not.
func runNode() error {
	node, err := readLayout()
	if err != nil {
		return err
	}
	for _, address := range node.Inward {
		if err := relay("unix", node.socketOf("in", address), "tcp", address); err != nil {
			return err
		}
	}
	for _, address := range node.Outward {
		if err := relay("tcp", address, "unix", node.socketOf("out", address)); err != nil {
			return err
		}
	}
	if err := relay("tcp", node.Proxy, "unix", node.socketOf("out", "proxy")); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	inside := exec.Command(self, append([]string{"inside"}, os.Args[1:]...)...)
	inside.Stdout, inside.Stderr = os.Stdout, os.Stderr
	inside.Env = []string{"PATH=" + node.Path, "HOME=" + node.Folder}
	inside.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		// Whatever becomes of this process: without it there is no node.
		Pdeathsig: syscall.SIGKILL,
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	if err := inside.Start(); err != nil {
		return err
	}
	go func() {
		<-stop
		_ = inside.Process.Kill()
	}()
	return inside.Wait()
}

// runInside is the node's first process: it makes the machine look as a node's does, starts containerd and the kubelet, and reaps.
func runInside() error {
	node, err := readLayout()
	if err != nil {
		return err
	}
	if err := node.mount(); err != nil {
		return err
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	for _, address := range node.Inward {
		if err := relay("tcp", address, "unix", node.socketOf("in", address)); err != nil {
			return err
		}
	}
	for _, address := range node.Outward {
		if err := relay("unix", node.socketOf("out", address), "tcp", address); err != nil {
			return err
		}
	}
	if err := serveProxy(node.socketOf("out", "proxy")); err != nil {
		return err
	}
	names := map[int]string{}
	start := func(words []string) error {
		process, err := os.StartProcess(words[0], words, &os.ProcAttr{
			Env:   os.Environ(),
			Files: []*os.File{nil, os.Stdout, os.Stderr},
		})
		if err == nil {
			names[process.Pid] = words[0]
		}
		return err
	}
	if err := start(node.Containerd); err != nil {
		return err
	}
	if err := untilListening(node.Socket); err != nil {
		return err
	}
	if err := start(node.Kubelet); err != nil {
		return err
	}
	for {
		// Shims and what they leave are this process' children once their own parents have ended.
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if name, ok := names[pid]; ok {
			return fmt.Errorf("%s ended: exit code %d, signal %v", name, status.ExitStatus(), status.Signal())
		}
	}
}

func (node layout) socketOf(direction, address string) string {
	return filepath.Join(node.Folder, direction+"-"+address)
}

// mount gives the node its own view of the processes, and its own folders where containerd and the kubelet write by fixed names.
func (node layout) mount() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for _, fixed := range []string{"/run", "/var/log"} {
		own := filepath.Join(node.Folder, "fixed", fixed)
		if err := os.MkdirAll(own, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(own, fixed, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", fixed, err)
		}
	}
	return nil
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

func untilListening(socket string) error {
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var connection net.Conn
		if connection, err = net.Dial("unix", socket); err == nil {
			return connection.Close()
		}
	}
	return err
}

// serveProxy answers CONNECT HOST:PORT with a connection to that address as the node sees it.
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
			response.WriteHeader(http.StatusOK)
			connection, _, err := http.NewResponseController(response).Hijack()
			if err != nil {
				_ = onward.Close()
				return
			}
			join(connection, onward)
		}))
	}()
	return nil
}
