package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// virtualModel is the AAGUID of every virtual authenticator of Chromium.
const virtualModel = "01020304-0506-0708-0102-030405060708"

// vouchForVirtualKeys has the operator vouch for the virtual authenticators of Chromium, so that one whose credentials
// cannot be copied reaches AAL3.
//
// They attest with a certificate that is made anew each time and signed by itself, with one key that is compiled into the
// browser. So the root of the model is a certificate with that public key and that subject. It is signed by any key, because
// nobody verifies the signature of a root; and it has an alternative name, without which crypto/x509 would take it for the
// very certificate that it is to verify.
func (d *trial) vouchForVirtualKeys() {
	d.t.Helper()
	const compiledIn = "048d617e65c9508e64bcc5673ac82a6799da3c1446682c258c463fffdf58dfd2fa3e6c378b53d795c4a4dffb4199edd7862f23abaf0203b4b8911ba0569994e101"
	point, err := hex.DecodeString(compiledIn)
	if err != nil {
		d.t.Fatal(err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		d.t.Fatal(err)
	}
	anyKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	var subject pkix.RDNSequence // as Chromium encodes it, byte by byte
	for i, text := range []string{"US", "Chromium", "Authenticator Attestation", "Batch Certificate"} {
		attribute := pkix.AttributeTypeAndValue{
			Type:  asn1.ObjectIdentifier{2, 5, 4, []int{6, 10, 11, 3}[i]},
			Value: asn1.RawValue{Tag: []int{asn1.TagPrintableString, asn1.TagUTF8String, asn1.TagUTF8String, asn1.TagUTF8String}[i], Bytes: []byte(text)},
		}
		subject = append(subject, pkix.RelativeDistinguishedNameSET{attribute})
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign, DNSNames: []string{"virtual.invalid"},
	}
	if template.RawSubject, err = asn1.Marshal(subject); err != nil {
		d.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, anyKey)
	if err != nil {
		d.t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		d.t.Fatal(err)
	}
	d.command("authenticator", "model", "add", virtualModel, "--name", "Virtual key", "--roots", file(d.t, string(webauthntest.PEM(root))))
}

// TestJourneyAttestedKey is a key of a model that the operator vouches for, beside a passkey of the same make that is copied
// between devices; and what becomes of one that is taken away.
func TestJourneyAttestedKey(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	d.vouchForVirtualKeys()
	const person = "656005750113"
	b := newBrowser(t)
	signIn := func() string {
		b.open(d.issuer + "/sign-in")
		b.click("#passkey-sign-in")
		b.waitURL(d.issuer + "/")
		level := b.text("#summary")
		b.click("#sign-out")
		return level
	}

	passkey := syncedPasskey()
	passkey.Transport = webauthn.AuthenticatorTransportUsb // so that it does not offer itself
	synced := b.addAuthenticator(passkey)
	b.enrol(enrolLink(t, d.command("person", "enrol-link", person)), "My phone")
	d.command("authenticator", "recompute", "--apply") // when the server judged it, it may not have known of the model yet
	for range 2 {
		if got := signIn(); !strings.Contains(got, "2: strong") {
			t.Errorf("the account after a sign-in with a passkey that is copied says %q, want level 2", got)
		}
	}
	synced.remove()

	key := b.addAuthenticator(securityKey())
	b.enrol(enrolLink(t, d.command("person", "enrol-link", person)), "Blue key")
	list := d.command("authenticator", "list", person)
	if strings.Count(list, " trusted ") != 2 || !strings.Contains(list, "the operator vouches for its model") || !strings.Contains(list, "its key can be copied") {
		t.Errorf("credence authenticator list says %s, want two that are trusted, of which one can be copied", list)
	}
	if got := signIn(); !strings.Contains(got, "3: the strongest") {
		t.Errorf("the account after a sign-in with an attested key says %q, want level 3", got)
	}

	// What was taken away is refused, and the browser forgets it.
	for line := range strings.Lines(list) {
		if strings.Contains(line, "Blue key") {
			d.command("authenticator", "revoke", strings.Fields(line)[0])
		}
	}
	if n := key.holds(); n != 1 {
		t.Errorf("the key holds %d credentials, want 1", n)
	}
	b.open(d.issuer + "/sign-in")
	b.press("#passkey-sign-in")
	b.want("[role=alert]", "could not sign you in")
	ctx, cancel := context.WithTimeout(t.Context(), b.patience)
	defer cancel()
	if err := until(ctx, func() bool { return key.holds() == 0 }); err != nil {
		t.Errorf("the key still holds what was taken away: %v", err)
	}
}

// holds counts the credentials of the authenticator.
func (a authenticator) holds() int {
	a.browser.t.Helper()
	return len(call(a.browser, "list credentials", webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials)
}
