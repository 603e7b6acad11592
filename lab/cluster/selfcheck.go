package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
	_ "unsafe" // for go:linkname
)

// The address that every name of the lab has while no fault says otherwise.
const labAddress = "127.0.0.1"

// cert-manager's HTTP-01 self check takes its proxy from http.ProxyFromEnvironment and offers no other way to send it
// to a port that is not 80. Needs the linker flag -checklinkname=0.
//
//go:linkname envProxyFuncValue net/http.envProxyFuncValue
var envProxyFuncValue func(*url.URL) (*url.URL, error)

// routeSelfCheck gives the lab's address a port 80: a plain HTTP call to a name that resolves to that address is sent
// to http01. Every other name is dialled as it is, so that the check fails with the words that a real one fails with:
// no such host, connection refused, i/o timeout.
func routeSelfCheck(nameserver, http01 string) error {
	first, err := http.NewRequest(http.MethodGet, "http://"+http01, nil)
	if err != nil {
		return err
	}
	// The environment is read once, at the first call, which would overwrite what is set below.
	if _, err := http.ProxyFromEnvironment(first); err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: 3 * time.Second}
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, nameserver)
	}}
	challenges := &url.URL{Scheme: "http", Host: http01}
	envProxyFuncValue = func(target *url.URL) (*url.URL, error) {
		if target.Scheme != "http" || (target.Port() != "" && target.Port() != "80") || net.ParseIP(target.Hostname()) != nil {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		addresses, err := resolver.LookupHost(ctx, target.Hostname())
		if err != nil || !slices.Contains(addresses, labAddress) {
			return nil, nil // the dial that follows reports the same error
		}
		return challenges, nil
	}
	return nil
}
