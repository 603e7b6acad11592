package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// flagsTaken are those of the container's that the process is started with; the lab says the others.
var flagsTaken = []string{"--cluster-resource-namespace", "--enable-gateway-api"}

// controllerFlags says whether a pod is cert-manager's controller, wherever it is and whatever its labels are, and
// which flags it is to run with.
func controllerFlags(pod *corev1.Pod) ([]string, bool) {
	for _, container := range pod.Spec.Containers {
		if !strings.Contains(container.Image, "cert-manager-controller") && container.Name != "cert-manager-controller" {
			continue
		}
		var flags []string
		for _, arg := range container.Args {
			name, _, _ := strings.Cut(arg, "=")
			if slices.Contains(flagsTaken, name) {
				flags = append(flags, strings.ReplaceAll(arg, "$(POD_NAMESPACE)", pod.Namespace))
			}
		}
		return flags, true
	}
	return nil, false
}

// runCertManagerPod is the kubelet's part for cert-manager's controller pod: the process runs exactly while the
// cluster has a Running pod of the Deployment. So a wiped namespace or a Deployment at 0 replicas really stops it.
func runCertManagerPod() error {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	given := flag.String("program", "", "path of the program with the controllers; this one when it is left out")
	flag.Parse()

	program, err := os.Executable()
	if err != nil {
		return err
	}
	if *given != "" {
		program = *given
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Lister()
	synced := factory.Core().V1().Pods().Informer().HasSynced
	factory.Start(ctx.Done())

	wanted := func() ([]string, bool) {
		found, err := pods.List(labels.Everything())
		if err != nil || !synced() {
			return nil, false
		}
		for _, pod := range found {
			flags, is := controllerFlags(pod)
			if is && pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
				return flags, true
			}
		}
		return nil, false
	}

	var child *exec.Cmd
	var running []string
	exited := make(chan error, 1)
	for {
		flags, is := wanted()
		switch {
		case is && child == nil:
			child = exec.Command(program, slices.Concat([]string{"cert-manager"}, flag.Args(), flags)...)
			running = flags
			child.Stdout, child.Stderr = os.Stdout, os.Stderr
			child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if err := child.Start(); err != nil {
				return fmt.Errorf("start the controller: %w", err)
			}
			log.Printf("a controller pod is Running: started process %d", child.Process.Pid)
			go func(started *exec.Cmd) { exited <- started.Wait() }(child)
		case child != nil && (!is || !slices.Equal(flags, running)):
			log.Printf("no controller pod like it is Running: stopping process %d", child.Process.Pid)
			if err := child.Process.Signal(syscall.SIGTERM); err != nil {
				return err
			}
			select {
			case <-exited:
			case <-time.After(10 * time.Second):
				if err := child.Process.Kill(); err != nil {
					return err
				}
				<-exited
			}
			child = nil
		}
		select {
		case <-ctx.Done():
			if child != nil {
				if err := child.Process.Kill(); err != nil {
					return err
				}
				<-exited
			}
			return nil
		case err := <-exited:
			log.Printf("the controller ended (%v): starting it again as a kubelet would", err)
			child = nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}
