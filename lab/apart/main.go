// Command apart runs programs in namespaces of their own, that know nothing of the machine's network and processes: ends their first
// process, and the kernel ends all others, their mounts and their network with it. It needs root, and nothing but Go's own library.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// layout is what the driver has laid out.
type layout struct {
	// Folder holds the sockets that lead over the border.
	Folder string `json:"folder"`
	// Inward are addresses of the machine that are reached by the same address inside.
	Inward []string `json:"inward"`
	// Outward are addresses inside that are reached by the same address from outside.
	Outward []string `json:"outward"`
	// Behind are ports of every address of Network inside, and the address of the machine that answers there.
	Behind map[string]string `json:"behind"`
	// Network is one whose every address is the inside's own.
	Network string `json:"network"`
	// Proxy is the address outside of an HTTP proxy (CONNECT) that reaches what is inside.
	Proxy string `json:"proxy"`
	// Fixed are folders that programs write to by fixed names: they get others.
	Fixed []string `json:"fixed"`
	// Programs are started in this order.
	Programs []program `json:"programs"`
	Path     string    `json:"path"`
}

type program struct {
	Words []string `json:"words"`
	// Socket is what it listens on when it is ready, where somebody waits for that.
	Socket string `json:"socket"`
}

func main() {
	file := flag.String("layout", "", "file that says what is wanted")
	isInside := flag.Bool("inside", false, "whether this is the first process inside")
	flag.Parse()
	run := runOutside
	if *isInside {
		run = runInside
	}
	if err := start(*file, run); err != nil {
		fmt.Fprintf(os.Stderr, "apart: %v\n", err)
		os.Exit(1)
	}
}

func start(file string, run func(layout) error) error {
	var wanted layout
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &wanted); err != nil {
		return err
	}
	return run(wanted)
}

// runOutside makes the namespaces and carries connections over their border, by sockets in a folder: a listener belongs to the network
// that it was made in, a file does not.
func runOutside(wanted layout) error {
	for _, address := range append(wanted.Inward, values(wanted.Behind)...) {
		if err := relay("unix", wanted.socketOf("in", address), "tcp", address); err != nil {
			return err
		}
	}
	for _, address := range wanted.Outward {
		if err := relay("tcp", address, "unix", wanted.socketOf("out", address)); err != nil {
			return err
		}
	}
	if wanted.Proxy != "" {
		if err := relay("tcp", wanted.Proxy, "unix", wanted.socketOf("out", "proxy")); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	inside := exec.Command(self, append([]string{"--inside"}, os.Args[1:]...)...)
	inside.Stdout, inside.Stderr = os.Stdout, os.Stderr
	inside.Env = append(os.Environ(), "PATH="+wanted.Path)
	inside.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		// Whatever becomes of this process: without it there is nothing inside.
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

// runInside is the first process inside: it makes what is seen there, starts the programs, and reaps.
func runInside(wanted layout) error {
	if err := wanted.mount(); err != nil {
		return err
	}
	if err := wanted.network(); err != nil {
		return err
	}
	if err := wanted.carry(); err != nil {
		return err
	}
	names := map[int]string{}
	for _, one := range wanted.Programs {
		process, err := os.StartProcess(one.Words[0], one.Words, &os.ProcAttr{
			Env:   os.Environ(),
			Files: []*os.File{nil, os.Stdout, os.Stderr},
		})
		if err != nil {
			return err
		}
		names[process.Pid] = one.Words[0]
		if err := untilListening(one.Socket); err != nil {
			return err
		}
	}
	for {
		// What others leave behind is this process' child once they have ended.
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if name, ok := names[pid]; ok {
			return fmt.Errorf("%s ended: exit code %d", name, status.ExitStatus())
		}
	}
}

func (wanted layout) socketOf(direction, address string) string {
	return filepath.Join(wanted.Folder, direction+"-"+address)
}

// mount gives the inside its own view of the processes, and its own folders in place of those with fixed names.
func (wanted layout) mount() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for _, fixed := range wanted.Fixed {
		own := filepath.Join(wanted.Folder, "fixed", fixed)
		if err := os.MkdirAll(own, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(own, fixed, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", fixed, err)
		}
	}
	return nil
}

func (wanted layout) network() error {
	commands := [][]string{{"link", "set", "lo", "up"}}
	if wanted.Network != "" {
		commands = append(commands, []string{"route", "add", "local", wanted.Network, "dev", "lo"})
	}
	for _, words := range commands {
		if output, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", words, err, output)
		}
	}
	return nil
}

// carry is the inner side of what leads over the border.
func (wanted layout) carry() error {
	for _, address := range wanted.Inward {
		if err := relay("tcp", address, "unix", wanted.socketOf("in", address)); err != nil {
			return err
		}
	}
	for port, address := range wanted.Behind {
		if err := relay("tcp", ":"+port, "unix", wanted.socketOf("in", address)); err != nil {
			return err
		}
	}
	for _, address := range wanted.Outward {
		if err := relay("unix", wanted.socketOf("out", address), "tcp", address); err != nil {
			return err
		}
	}
	if wanted.Proxy == "" {
		return nil
	}
	return serveProxy(wanted.socketOf("out", "proxy"))
}

func untilListening(socket string) error {
	if socket == "" {
		return nil
	}
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var connection net.Conn
		if connection, err = net.Dial("unix", socket); err == nil {
			return connection.Close()
		}
	}
	return err
}

// values has each value once: several ports may lead to one address.
func values(of map[string]string) []string {
	seen := map[string]bool{}
	var all []string
	for _, value := range of {
		if !seen[value] {
			all = append(all, value)
		}
		seen[value] = true
	}
	return all
}
