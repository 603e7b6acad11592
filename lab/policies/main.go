// policies answers, for one version of cert-manager, what its own policy chain says about each case that it is given, and what its
// own decoders read in a text.
package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/cert-manager/cert-manager/internal/controller/certificates/policies"
	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

// question is one case: the objects as the API server delivers them, and the time at which they are judged. Or a text to be decoded.
type question struct {
	Now         time.Time                 `json:"now"`
	RenewalInfo bool                      `json:"renewalInfo"`
	Certificate *cmapi.Certificate        `json:"certificate"`
	Secret      *corev1.Secret            `json:"secret"`
	Current     *cmapi.CertificateRequest `json:"current"`
	Next        *cmapi.CertificateRequest `json:"next"`
	Decode      *text                     `json:"decode"`
}

// answer is what the chain says. Fields of Next are those in which the request of the next revision differs from the spec, which is
// what a back-off ends by.
type answer struct {
	Violated bool     `json:"violated"`
	Reason   string   `json:"reason,omitempty"`
	Message  string   `json:"message,omitempty"`
	Next     []string `json:"next,omitempty"`
	// Ready is what the readiness chain says.
	Ready bool `json:"ready"`
	// NextError says why the request of the next revision cannot be read.
	NextError string `json:"nextError,omitempty"`
	// Panicked has what cert-manager died of: its controller does not catch it.
	Panicked string `json:"panicked,omitempty"`
	// Unreadable says that the case does not decode, so no controller would ever see it.
	Unreadable string `json:"unreadable,omitempty"`
}

// stopped is a clock that stands still.
type stopped struct {
	clock.RealClock
	now time.Time
}

func (c stopped) Now() time.Time { return c.now }

func main() {
	// Messages have times in the local zone; the controller's container has none but this.
	time.Local = time.UTC
	serve(func(line []byte) any {
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			return answer{Unreadable: err.Error()}
		}
		if asked.Decode != nil {
			return decode(*asked.Decode)
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
	input := policies.Input{
		Certificate:            asked.Certificate,
		Secret:                 asked.Secret,
		CurrentRevisionRequest: asked.Current,
		NextRevisionRequest:    asked.Next,
	}
	if asked.RenewalInfo {
		gather(&input)
	}
	chain := policies.NewTriggerPolicyChain(stopped{now: asked.Now})
	given.Reason, given.Message, given.Violated = chain.Evaluate(input)
	_, _, unready := policies.NewReadinessPolicyChain(stopped{now: asked.Now}).Evaluate(input)
	given.Ready = !unready
	if asked.Next != nil {
		mismatches, err := pki.RequestMatchesSpec(asked.Next, asked.Certificate.Spec)
		given.Next = mismatches
		if err != nil {
			given.NextError = err.Error()
		}
	}
	return given
}

// gather gives the chain the CA's advice on renewal, as the gatherer does with the feature gate ACMEUseARI. Versions before 1.21 have
// no field for it, which is why it is found by its name.
func gather(input *policies.Input) {
	field := reflect.ValueOf(input).Elem().FieldByName("ARIRenewalInfo")
	acme := reflect.ValueOf(input.Certificate.Status).FieldByName("ACME")
	if !field.IsValid() || !acme.IsValid() || acme.IsNil() {
		return
	}
	window := acme.Elem().FieldByName("ARI")
	if window.IsNil() || window.Elem().FieldByName("SuggestedWindow").IsNil() {
		return
	}
	suggested := window.Elem().FieldByName("SuggestedWindow").Elem()
	info := reflect.New(field.Type().Elem())
	for _, name := range []string{"Start", "End"} {
		at := reflect.Indirect(suggested.FieldByName(name))
		if !at.IsValid() {
			continue
		}
		at = at.FieldByName("Time")
		info.Elem().FieldByName("SuggestedWindow").FieldByName(name).Set(at)
	}
	field.Set(info)
}
