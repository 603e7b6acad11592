package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	acme "github.com/cert-manager/cert-manager/pkg/apis/acme/v1"
	clientset "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned"
	cminformers "github.com/cert-manager/cert-manager/pkg/client/informers/externalversions"
	"github.com/letsencrypt/challtestsrv"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// runChallenges answers DNS (every name is 127.0.0.1) and HTTP-01 for what cert-manager's Challenges ask. It stands
// in for the solver pods and the ingress in front of them, which need a container runtime and port 80. Faults can be
// switched on per host name at the control address; see faults.handler.
func runChallenges() error {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	http01 := flag.String("http01", "", "host:port of the HTTP-01 answers")
	dns := flag.String("dns", "", "host:port of the DNS server")
	control := flag.String("control", "", "host:port of the control address")
	flag.Parse()

	logger := log.New(os.Stdout, "challenges ", log.LstdFlags)
	server, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{*dns}, Log: logger})
	if err != nil {
		return err
	}
	server.SetDefaultDNSIPv4(labAddress)
	server.SetDefaultDNSIPv6("")
	go server.Run()
	defer server.Shutdown()

	faults := newFaults(server)
	failed := make(chan error, 2)
	answers := &http.Server{Addr: *http01, Handler: faults.wrap(server), ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	answers.SetKeepAlivesEnabled(false)
	go func() { failed <- answers.ListenAndServe() }()
	go func() { failed <- http.ListenAndServe(*control, faults.handler()) }()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	factory := cminformers.NewSharedInformerFactory(client, 10*time.Minute)
	informer := factory.Acme().V1().Challenges().Informer()
	answer := func(object any) {
		if challenge, ok := object.(*acme.Challenge); ok && challenge.Spec.Type == acme.ACMEChallengeTypeHTTP01 {
			server.AddHTTPOneChallenge(challenge.Spec.Token, challenge.Spec.Key)
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    answer,
		UpdateFunc: func(_, object any) { answer(object) },
	}); err != nil {
		return err
	}
	// The kind comes with cert-manager's installation; an informer would back off for long before it looks again.
	for {
		_, err := client.AcmeV1().Challenges("").List(ctx, metav1.ListOptions{Limit: 1})
		if err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	factory.Start(ctx.Done())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}
