// Command registry is the lab's image registry: the Distribution project's own, with its storage in a folder.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
)

func main() {
	listen := flag.String("listen", "", "host:port")
	root := flag.String("root", "", "folder of the storage")
	cert := flag.String("cert", "", "PEM of the certificate; plain HTTP without it")
	key := flag.String("key", "", "PEM of its key")
	flag.Parse()

	logrus.SetLevel(logrus.WarnLevel)
	config := &configuration.Configuration{
		Version: configuration.CurrentVersion,
		Storage: configuration.Storage{
			"filesystem": configuration.Parameters{"rootdirectory": *root},
			"delete":     configuration.Parameters{"enabled": true},
		},
	}
	config.HTTP.Secret = "one process needs no shared secret"
	// Behind a proxy, addresses are relative: the proxy knows what it is called.
	config.HTTP.RelativeURLs = true
	config.Catalog.MaxEntries = 1000
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: handlers.NewApp(context.Background(), config)}
	if *cert != "" {
		err = server.ServeTLS(listener, *cert, *key)
	} else {
		err = server.Serve(listener)
	}
	log.Fatal(err)
}
