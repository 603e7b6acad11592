package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

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

	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("cert-manager"))
	pods := factory.Core().V1().Pods().Lister()
	synced := factory.Core().V1().Pods().Informer().HasSynced
	factory.Start(ctx.Done())

	selector := labels.SelectorFromSet(labels.Set{"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"})
	wanted := func() bool {
		found, err := pods.List(selector)
		if err != nil || !synced() {
			return false
		}
		for _, pod := range found {
			if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
				return true
			}
		}
		return false
	}

	var child *exec.Cmd
	exited := make(chan error, 1)
	for {
		switch {
		case wanted() && child == nil:
			child = exec.Command(program, append([]string{"cert-manager"}, flag.Args()...)...)
			child.Stdout, child.Stderr = os.Stdout, os.Stderr
			child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if err := child.Start(); err != nil {
				return fmt.Errorf("start the controller: %w", err)
			}
			log.Printf("a controller pod is Running: started process %d", child.Process.Pid)
			go func(started *exec.Cmd) { exited <- started.Wait() }(child)
		case !wanted() && child != nil:
			log.Printf("no controller pod is Running: stopping process %d", child.Process.Pid)
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
