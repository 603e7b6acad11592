package main

import (
	"os"

	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// kubernetesParts are Kubernetes' own programs. This file is compiled with each of its versions (lab/kubernetes).
var kubernetesParts = map[string]func() error{
	"apiserver":          func() error { return exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"controller-manager": func() error { return exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"scheduler":          func() error { return exit(cli.Run(scheduler.NewSchedulerCommand())) },
}

func exit(code int) error {
	os.Exit(code)
	return nil
}
