package main

import (
	"encoding/json"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// kubeconfigCase is a kubeconfig in one or more files, and the context that is wanted; the current one when it is empty.
type kubeconfigCase struct {
	Paths   []string
	Context string
}

// kubeconfigAnswer is what kubectl's own loader takes from it.
type kubeconfigAnswer struct {
	Error       string                   `json:"error,omitempty"`
	Server      string                   `json:"server"`
	CA          []byte                   `json:"ca,omitempty"`
	Cert        []byte                   `json:"cert,omitempty"`
	Key         []byte                   `json:"key,omitempty"`
	Token       string                   `json:"token"`
	TokenFile   string                   `json:"tokenFile"`
	Username    string                   `json:"username"`
	Password    string                   `json:"password"`
	ServerName  string                   `json:"serverName"`
	Insecure    bool                     `json:"insecure"`
	Plugin      bool                     `json:"plugin"`
	Proxy       string                   `json:"proxy"`
	Impersonate rest.ImpersonationConfig `json:"impersonate"`
}

// runKubeconfigs reads a case a line and answers each with a line.
func runKubeconfigs() error {
	serve(func(question []byte) any {
		var one kubeconfigCase
		if err := json.Unmarshal(question, &one); err != nil {
			panic(err)
		}
		answer, err := loadKubeconfig(one)
		if err != nil {
			answer = kubeconfigAnswer{Error: err.Error()}
		}
		return answer
	})
	return nil
}

func loadKubeconfig(one kubeconfigCase) (kubeconfigAnswer, error) {
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: one.Paths}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: one.Context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return kubeconfigAnswer{}, err
	}
	if _, err := rest.TLSConfigFor(config); err != nil {
		return kubeconfigAnswer{}, err
	}
	if err := rest.LoadTLSFiles(config); err != nil {
		return kubeconfigAnswer{}, err
	}
	hasTLS := len(config.CAData) > 0 || len(config.CertData) > 0 || config.Insecure
	server, _, err := rest.DefaultServerURL(config.Host, "/api", schema.GroupVersion{Version: "v1"}, hasTLS)
	if err != nil {
		return kubeconfigAnswer{}, err
	}
	answer := kubeconfigAnswer{
		Server: server.String(), CA: config.CAData, Cert: config.CertData, Key: config.KeyData,
		Token: config.BearerToken, TokenFile: config.BearerTokenFile, Username: config.Username, Password: config.Password,
		ServerName: config.ServerName, Insecure: config.Insecure, Impersonate: config.Impersonate,
		Plugin: config.ExecProvider != nil || config.AuthProvider != nil,
	}
	if config.Proxy != nil {
		proxy, err := config.Proxy(&http.Request{URL: server})
		if err != nil {
			return kubeconfigAnswer{}, err
		}
		answer.Proxy = proxy.String()
	}
	return answer, nil
}
