package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// runACME serves Pebble behind a meter that counts what is ordered and issued, and that enforces Let's Encrypt's
// limit per exact name set, which Pebble does not have. The control address is plain HTTP:
// GET /meter gives the counts, PUT /limit with {"enabled": bool} switches the limit, GET /certificate gives the PEM
// of the server's own certificate, GET /root that of the CA's root.
func runACME() error {
	listen := flag.String("listen", "", "host:port of the ACME server")
	control := flag.String("control", "", "host:port of the control address")
	httpPort := flag.Int("http-port", 0, "port on which HTTP-01 is validated")
	dns := flag.String("dns", "", "host:port of the DNS server to validate with")
	flag.Parse()

	meter := newMeter()
	logger := log.New(io.MultiWriter(os.Stdout, meter), "pebble ", log.LstdFlags)
	store := db.NewMemoryStore()
	authority := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "90 days", ValidityPeriod: 90 * 24 * 3600}})
	validator := va.New(logger, *httpPort, 0, false, *dns, store)
	frontend := wfe.New(logger, store, validator, authority, []string{"lab.invalid"}, false, false, 0, 0)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /meter", func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(response).Encode(meter.reading()); err != nil {
			log.Print(err)
		}
	})
	mux.HandleFunc("PUT /limit", func(response http.ResponseWriter, request *http.Request) {
		var wanted struct{ Enabled bool }
		if err := json.NewDecoder(request.Body).Decode(&wanted); err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		meter.limit(wanted.Enabled)
	})
	own, pem, err := selfSigned()
	if err != nil {
		return err
	}
	mux.HandleFunc("GET /certificate", func(response http.ResponseWriter, _ *http.Request) {
		if _, err := response.Write(pem); err != nil {
			log.Print(err)
		}
	})
	mux.HandleFunc("GET /root", func(response http.ResponseWriter, _ *http.Request) {
		if _, err := response.Write(authority.GetRootCert(0).PEM()); err != nil {
			log.Print(err)
		}
	})
	server := &http.Server{
		Addr:      *listen,
		Handler:   meter.wrap(frontend.Handler()),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{own}},
	}
	failed := make(chan error, 2)
	go func() { failed <- http.ListenAndServe(*control, mux) }()
	go func() { failed <- server.ListenAndServeTLS("", "") }()
	return <-failed
}

// selfSigned makes the server's own certificate, for the loopback address, with its PEM.
func selfSigned() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "lab ACME server"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(30 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, text, nil
}
