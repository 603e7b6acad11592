package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/letsencrypt/challtestsrv"
	"github.com/miekg/dns"
)

// A loopback address on which nothing of the lab listens.
const deadAddress = "127.0.0.2"

// fault is what is wrong with one host name, for cert-manager's self check and for the ACME server's validation alike.
type fault struct {
	// Kind is one of:
	//   nxdomain   the name does not exist
	//   elsewhere  the name has the address in Address
	//   refused    nothing listens on port 80: the name has a loopback address without a server
	//   not-found  another server answers on port 80: 404, as Traefik says for a host that no Ingress has
	//   redirect   port 80 answers 301 to Location
	Kind     string `json:"fault"`
	Address  string `json:"address,omitempty"`
	Location string `json:"location,omitempty"`
}

type faults struct {
	mu     sync.Mutex
	server *challtestsrv.ChallSrv
	byHost map[string]fault
}

func newFaults(server *challtestsrv.ChallSrv) *faults {
	return &faults{server: server, byHost: map[string]fault{}}
}

// handler serves the control address: GET /faults gives all, PUT /faults/HOST with a fault as JSON sets the one of a
// host, DELETE /faults/HOST and DELETE /faults take it or all away.
func (f *faults) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(response http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		response.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(response).Encode(f.byHost); err != nil {
			log.Print(err)
		}
	})
	mux.HandleFunc("PUT /faults/{host}", func(response http.ResponseWriter, request *http.Request) {
		var wanted fault
		if err := json.NewDecoder(request.Body).Decode(&wanted); err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		if err := f.set(strings.ToLower(request.PathValue("host")), wanted); err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("DELETE /faults/{host}", func(_ http.ResponseWriter, request *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.clear(strings.ToLower(request.PathValue("host")))
	})
	mux.HandleFunc("DELETE /faults", func(_ http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for host := range f.byHost {
			f.clear(host)
		}
	})
	return mux
}

// wrap answers HTTP-01 with the fault of the host that is asked for.
func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		host := request.Host
		if bare, _, err := net.SplitHostPort(host); err == nil {
			host = bare
		}
		f.mu.Lock()
		found := f.byHost[strings.ToLower(host)]
		f.mu.Unlock()
		switch found.Kind {
		case "not-found":
			http.Error(response, "404 page not found", http.StatusNotFound)
		case "redirect":
			http.Redirect(response, request, found.Location, http.StatusMovedPermanently)
		default:
			next.ServeHTTP(response, request)
		}
	})
}

func (f *faults) set(host string, wanted fault) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch wanted.Kind {
	case "nxdomain", "not-found":
	case "refused":
		wanted.Address = deadAddress
	case "elsewhere":
		if net.ParseIP(wanted.Address) == nil {
			return fmt.Errorf("elsewhere needs an IP address, not %q", wanted.Address)
		}
	case "redirect":
		if wanted.Location == "" {
			return fmt.Errorf("redirect needs a location")
		}
	default:
		return fmt.Errorf("unknown fault %q", wanted.Kind)
	}
	f.clear(host)
	f.byHost[host] = wanted
	if wanted.Kind == "nxdomain" {
		// The DNS server takes its handlers from the package's own table, where the longest name wins.
		dns.HandleFunc(dns.Fqdn(host), nonexistent)
	}
	if wanted.Address != "" {
		f.server.AddDNSARecord(host, []string{wanted.Address})
	}
	return nil
}

func (f *faults) clear(host string) {
	dns.HandleRemove(dns.Fqdn(host))
	f.server.DeleteDNSARecord(host)
	delete(f.byHost, host)
}

func nonexistent(response dns.ResponseWriter, request *dns.Msg) {
	answer := new(dns.Msg)
	answer.SetRcode(request, dns.RcodeNameError)
	if err := response.WriteMsg(answer); err != nil {
		log.Print(err)
	}
}
