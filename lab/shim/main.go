// shim answers, for one version of cert-manager, which Certificates its own ingress-shim and gateway-shim ask for. The shim runs as the controller
// runs it, but for the API server: its cluster has no Certificates, and takes those that it is given.
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-logr/logr"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	gwapi "sigs.k8s.io/gateway-api/apis/v1"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	clientset "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned"
	typed "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned/typed/certmanager/v1"
	listers "github.com/cert-manager/cert-manager/pkg/client/listers/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	shim "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim"
)

// question is an Ingress or a Gateway, and what the controller was told. Settings that a version does not know are not read.
type question struct {
	Ingress  *networkingv1.Ingress         `json:"ingress"`
	Gateway  *gwapi.Gateway                `json:"gateway"`
	Settings controller.IngressShimOptions `json:"settings"`
}

// answer is what the shim does.
type answer struct {
	Certificates []*cmapi.Certificate `json:"certificates,omitempty"`
	// Warnings are its events on what asks.
	Warnings []string `json:"warnings,omitempty"`
	// Failed is the error that the controller would log, and try again for.
	Failed string `json:"failed,omitempty"`
	// Panicked has what cert-manager died of.
	Panicked string `json:"panicked,omitempty"`
	// Unreadable says that the case does not decode, so no controller would ever see it.
	Unreadable string `json:"unreadable,omitempty"`
}

func main() {
	serve(func(line []byte) any {
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			return answer{Unreadable: err.Error()}
		}
		return judge(asked)
	})
}

func judge(asked question) (given answer) {
	defer func() {
		if died := recover(); died != nil {
			given = answer{Panicked: fmt.Sprint(died)}
		}
	}()
	none := listers.NewCertificateLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
	}))
	sync := shim.SyncFnFor(events{to: &given}, logr.Discard(), client{to: &given}, none, asked.Settings, "shim")
	var asking metav1.Object = asked.Ingress
	if asked.Gateway != nil {
		asking = asked.Gateway
	}
	if err := sync(context.Background(), asking); err != nil {
		given.Failed = err.Error()
	}
	return given
}

// client is of an API server that takes every Certificate. All else of it is nil: that the shim would use it is an error.
type client struct {
	clientset.Interface
	to *answer
}

func (c client) CertmanagerV1() typed.CertmanagerV1Interface { return group{to: c.to} }

type group struct {
	typed.CertmanagerV1Interface
	to *answer
}

func (g group) Certificates(string) typed.CertificateInterface { return certificates{to: g.to} }

type certificates struct {
	typed.CertificateInterface
	to *answer
}

func (c certificates) Create(_ context.Context, one *cmapi.Certificate, _ metav1.CreateOptions) (*cmapi.Certificate, error) {
	c.to.Certificates = append(c.to.Certificates, one)
	return one, nil
}

// events keeps the warnings.
type events struct{ to *answer }

func (e events) Event(_ runtime.Object, kind, _, message string) {
	if kind == "Warning" {
		e.to.Warnings = append(e.to.Warnings, message)
	}
}

func (e events) Eventf(object runtime.Object, kind, reason, format string, values ...any) {
	e.Event(object, kind, reason, fmt.Sprintf(format, values...))
}

func (e events) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, values ...any) {
	e.Eventf(object, kind, reason, format, values...)
}
