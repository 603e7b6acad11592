package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/acme/accounts"
	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/metrics"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// setField sets a field that only some versions of cert-manager have: this file is compiled with each (lab/controller).
func setField(options any, name string, value any) {
	if field := reflect.ValueOf(options).Elem().FieldByName(name); field.IsValid() {
		field.Set(reflect.ValueOf(value))
	}
}

// runCertManager runs cert-manager's own controllers, with the defaults of its own program.
func runCertManager() error {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	nameserver := flag.String("nameserver", "", "host:port that the HTTP-01 self check resolves with")
	http01 := flag.String("http01", "", "host:port that answers HTTP-01 in place of port 80")
	workers := flag.Int("workers", 5, "workers per controller")
	resources := flag.String("cluster-resource-namespace", "kube-system", "where the Secrets of ClusterIssuers are")
	gateways := flag.Bool("enable-gateway-api", false, "make Certificates for Gateways")
	klog.InitFlags(flag.CommandLine)
	flag.Parse()
	if err := routeSelfCheck(*nameserver, *http01); err != nil {
		return err
	}

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	ctx = logf.NewContext(ctx, klog.Background())

	options := controller.ContextOptions{
		Kubeconfig:         *kubeconfig,
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: *resources},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:            "quay.io/jetstack/cert-manager-acmesolver",
			ACMEHTTP01SolverRunAsNonRoot: true,
			HTTP01SolverNameservers:      []string{*nameserver},
			DNS01CheckRetryPeriod:        10 * time.Second,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerKind:                 "Issuer",
			DefaultIssuerGroup:                "cert-manager.io",
			DefaultAutoCertificateAnnotations: []string{"kubernetes.io/tls-acme"},
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes: []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
	}
	setField(&options.CertificateOptions, "CertificateRequestMinimumBackoffDuration", time.Hour)
	setField(&options.CertificateOptions, "CertificateRequestMaximumBackoffDuration", 32*time.Hour)
	setField(&options, "EnableGatewayAPI", *gateways)
	setField(&options, "Clock", clock.RealClock{})
	setField(&options, "Metrics", metrics.New(klog.Background(), clock.RealClock{}))
	// Before 1.19 it is given; later it is made from more than this.
	if registry := reflect.ValueOf(accounts.NewDefaultRegistry); registry.Type().NumIn() == 0 {
		setField(&options.ACMEOptions, "AccountRegistry", registry.Call(nil)[0].Interface())
	}
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}

	var running sync.WaitGroup
	for name, construct := range controller.Known() {
		// Its group is served only where the Gateway API was installed, and the lab installs no ListenerSets.
		if strings.HasPrefix(name, "gateway") && !*gateways || strings.Contains(name, "listenerset") {
			continue
		}
		built, err := construct(factory)
		if err != nil {
			return fmt.Errorf("construct %s: %w", name, err)
		}
		running.Go(func() {
			if err := built.Run(*workers, ctx); err != nil {
				fmt.Fprintf(os.Stderr, "controller %s: %v\n", name, err)
				cancel()
			}
		})
	}
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if *gateways {
		base.GWShared.Start(ctx.Done())
	}
	running.Wait()
	return nil
}
