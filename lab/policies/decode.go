package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"time"

	apiutil "github.com/cert-manager/cert-manager/pkg/api/util"
	"github.com/cert-manager/cert-manager/pkg/util/pki"
)

// text is what a Secret or a request holds, and as what it is to be read.
type text struct {
	Kind string `json:"kind"`
	Text []byte `json:"text"`
}

// reading is what a decoder of cert-manager makes of a text.
type reading struct {
	Refused  string    `json:"refused,omitempty"`
	Panicked string    `json:"panicked,omitempty"`
	Contents []content `json:"contents,omitempty"`
}

// content is what one certificate, request or key says, as far as somebody here asks.
type content struct {
	Key            string     `json:"key"`
	Serial         string     `json:"serial,omitempty"`
	Subject        []string   `json:"subject,omitempty"`
	Issuer         []string   `json:"issuer,omitempty"`
	NotBefore      *time.Time `json:"notBefore,omitempty"`
	NotAfter       *time.Time `json:"notAfter,omitempty"`
	DNS            []string   `json:"dns,omitempty"`
	IP             []string   `json:"ip,omitempty"`
	URI            []string   `json:"uri,omitempty"`
	Email          []string   `json:"email,omitempty"`
	IsCA           bool       `json:"isCa,omitempty"`
	Usages         []string   `json:"usages,omitempty"`
	AuthorityKeyID string     `json:"authorityKeyId,omitempty"`
	SubjectKeyID   string     `json:"subjectKeyId,omitempty"`
}

func decode(asked text) (given reading) {
	defer func() {
		if died := recover(); died != nil {
			given = reading{Panicked: fmt.Sprint(died)}
		}
	}()
	contents, err := contentsOf(asked)
	if err != nil {
		return reading{Refused: err.Error()}
	}
	return reading{Contents: contents}
}

func contentsOf(asked text) ([]content, error) {
	switch asked.Kind {
	case "certificates":
		chain, err := pki.DecodeX509CertificateSetBytes(asked.Text)
		if err != nil {
			return nil, err
		}
		var found []content
		for _, one := range chain {
			found = append(found, ofCertificate(one))
		}
		return found, nil
	case "request":
		one, err := pki.DecodeX509CertificateRequestBytes(asked.Text)
		if err != nil {
			return nil, err
		}
		return []content{ofRequest(one)}, nil
	default:
		key, err := pki.DecodePrivateKeyBytes(asked.Text)
		if err != nil {
			return nil, err
		}
		return []content{{Key: keyText(key.Public())}}, nil
	}
}

func ofCertificate(one *x509.Certificate) content {
	usages := []string{}
	for _, usage := range apiutil.KeyUsageStrings(one.KeyUsage) {
		usages = append(usages, string(usage))
	}
	for _, usage := range apiutil.ExtKeyUsageStrings(one.ExtKeyUsage) {
		usages = append(usages, string(usage))
	}
	return content{
		Key:            keyText(one.PublicKey),
		Serial:         one.SerialNumber.Text(16),
		Subject:        nameTexts(one.Subject),
		Issuer:         nameTexts(one.Issuer),
		NotBefore:      &one.NotBefore,
		NotAfter:       &one.NotAfter,
		DNS:            one.DNSNames,
		IP:             addressTexts(one.IPAddresses),
		URI:            uriTexts(one.URIs),
		Email:          one.EmailAddresses,
		IsCA:           one.IsCA,
		Usages:         usages,
		AuthorityKeyID: hex.EncodeToString(one.AuthorityKeyId),
		SubjectKeyID:   hex.EncodeToString(one.SubjectKeyId),
	}
}

func ofRequest(one *x509.CertificateRequest) content {
	return content{
		Key:     keyText(one.PublicKey),
		Subject: nameTexts(one.Subject),
		DNS:     one.DNSNames,
		IP:      addressTexts(one.IPAddresses),
		URI:     uriTexts(one.URIs),
		Email:   one.EmailAddresses,
	}
}

// keyText is equal for equal keys, and tells of a key that no certificate of cert-manager has only its type.
func keyText(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d %x/%x", key.N.BitLen(), key.N, key.E)
	case *ecdsa.PublicKey:
		point := elliptic.Marshal(key.Curve, key.X, key.Y)
		return fmt.Sprintf("ECDSA %d %s/%x", key.Curve.Params().BitSize, key.Curve.Params().Name, point)
	case ed25519.PublicKey:
		return fmt.Sprintf("Ed25519 256 %x", []byte(key))
	default:
		return fmt.Sprintf("%T", key)
	}
}

func nameTexts(name pkix.Name) []string {
	var texts []string
	for _, one := range name.Names {
		// What is no text is in the list, and nobody reads it.
		if value, isText := one.Value.(string); isText {
			texts = append(texts, fmt.Sprintf("%s=%s", one.Type, value))
		}
	}
	return texts
}

func addressTexts(addresses []net.IP) []string {
	var texts []string
	for _, one := range addresses {
		texts = append(texts, one.String())
	}
	return texts
}

func uriTexts(uris []*url.URL) []string {
	var texts []string
	for _, one := range uris {
		texts = append(texts, one.String())
	}
	return texts
}
