package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func newLocalCA(t *testing.T, dir string, now time.Time) (localCA, pairFiles) {
	t.Helper()
	ca, err := ensureLocalCA(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	files, err := ca.ensureLocalhost(now)
	if err != nil {
		t.Fatal(err)
	}
	return ca, files
}

// RFC 5280, Section 4.2.1.10: whoever steals the key of the authority can play no other server than one of this machine.
func TestLocalCAIsConstrained(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ca, _ := newLocalCA(t, t.TempDir(), now)
	for name, test := range map[string]struct {
		change func(*x509.Certificate)
		host   string
		want   x509.InvalidReason // -1 when it is accepted
	}{
		"localhost":               {func(*x509.Certificate) {}, "localhost", -1},
		"a name below localhost":  {func(c *x509.Certificate) { c.DNSNames = []string{"demo.localhost"} }, "demo.localhost", -1},
		"127.0.0.1":               {func(*x509.Certificate) {}, "127.0.0.1", -1},
		"::1":                     {func(*x509.Certificate) {}, "::1", -1},
		"another name":            {func(c *x509.Certificate) { c.DNSNames = []string{testHost} }, testHost, x509.CANotAuthorizedForThisName},
		"another name beside":     {func(c *x509.Certificate) { c.DNSNames = []string{"localhost", testHost} }, "localhost", x509.CANotAuthorizedForThisName},
		"a name like localhost":   {func(c *x509.Certificate) { c.DNSNames = []string{"notlocalhost"} }, "notlocalhost", x509.CANotAuthorizedForThisName},
		"another address":         {func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }, "192.0.2.1", x509.CANotAuthorizedForThisName},
		"another IPv6 address":    {func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("::2")} }, "::2", x509.CANotAuthorizedForThisName},
		"a client, and no server": {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "localhost", x509.IncompatibleUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template := localhostTemplate(now)
			test.change(template)
			dir := t.TempDir()
			leaf, err := pairFiles{chain: filepath.Join(dir, "chain.pem"), key: filepath.Join(dir, "key.pem")}.issue(template, &ca.pair)
			if err != nil {
				t.Fatal(err)
			}
			_, err = leaf.Leaf.Verify(x509.VerifyOptions{Roots: ca.pool(), DNSName: test.host, CurrentTime: now})
			invalid, refused := errors.AsType[x509.CertificateInvalidError](err)
			if test.want == -1 && err != nil || test.want != -1 && (!refused || invalid.Reason != test.want) {
				t.Errorf("Verify(%s) = %v, want reason %d", test.host, err, test.want)
			}
		})
	}
	t.Run("an authority below", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		below, err := pairFiles{chain: filepath.Join(dir, "ca.pem"), key: filepath.Join(dir, "ca.key")}.issue(localCATemplate(now), &ca.pair)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := pairFiles{chain: filepath.Join(dir, "chain.pem"), key: filepath.Join(dir, "key.pem")}.issue(localhostTemplate(now), &below)
		if err != nil {
			t.Fatal(err)
		}
		between := x509.NewCertPool()
		between.AddCert(below.Leaf)
		_, err = leaf.Leaf.Verify(x509.VerifyOptions{Roots: ca.pool(), Intermediates: between, DNSName: "localhost", CurrentTime: now})
		if invalid, _ := errors.AsType[x509.CertificateInvalidError](err); invalid.Reason != x509.TooManyIntermediates {
			t.Errorf("Verify() = %v, want too many intermediates", err)
		}
	})
}

// People trust the authority once, and find what it issues renewed.
func TestLocalCAOverTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	dir, begin := t.TempDir(), time.Now()
	var ca, localhost []byte
	for _, test := range []struct {
		after                time.Duration
		newCA, newLocalhost  bool
		caLeft, localhostEnd time.Duration
	}{
		{0, true, true, 365 * day, 90 * day},
		{day, false, false, 364 * day, 90 * day},
		{59 * day, false, false, 306 * day, 90 * day},
		{61 * day, false, true, 304 * day, 151 * day},
		{300 * day, false, true, 65 * day, 365 * day}, // no longer than its authority
		{334 * day, false, false, 31 * day, 365 * day},
		{336 * day, true, true, 365 * day, 426 * day},
		{2000 * day, true, true, 365 * day, 2090 * day},
	} {
		now := begin.Add(test.after)
		authority, files := newLocalCA(t, dir, now)
		leaf := files.leaf(t)
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: authority.pool(), DNSName: "localhost", CurrentTime: now.Add(day)}); err != nil {
			t.Errorf("after %v: %v, want a certificate for another day", test.after, err)
		}
		if got := authority.pair.Leaf.NotAfter.Sub(now).Round(time.Minute); got != test.caLeft {
			t.Errorf("after %v the authority has %v left, want %v", test.after, got, test.caLeft)
		}
		if got := leaf.NotAfter.Sub(begin).Round(time.Minute); got != test.localhostEnd {
			t.Errorf("after %v the certificate ends at %v, want %v", test.after, got, test.localhostEnd)
		}
		newCA, newLocalhost := read(t, authority.certificateFile), read(t, files.chain)
		if changed := !bytes.Equal(ca, newCA); changed != test.newCA {
			t.Errorf("after %v another authority: %v, want %v", test.after, changed, test.newCA)
		}
		if changed := !bytes.Equal(localhost, newLocalhost); changed != test.newLocalhost {
			t.Errorf("after %v another certificate: %v, want %v", test.after, changed, test.newLocalhost)
		}
		ca, localhost = newCA, newLocalhost
	}
}

func TestLocalCAFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, files := newLocalCA(t, dir, time.Now())
	key := filepath.Join(dir, "local-ca.key")
	for _, name := range []string{key, files.key} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s = %v, %v, want 0600", name, info.Mode(), err)
		}
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ensureLocalCA(dir, time.Now()); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("ensureLocalCA with a key that others may read = %v, want it refused", err)
	}
	replace(t, key, read(t, files.key))
	if _, err := ensureLocalCA(dir, time.Now()); err == nil || !strings.Contains(err.Error(), "or remove both to make others") {
		t.Errorf("ensureLocalCA with another key = %v, want it refused with the fix", err)
	}
	for _, name := range []string{key, filepath.Join(dir, "local-ca.pem"), files.chain} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	newLocalCA(t, dir, time.Now())
}

// A file that others may read is no key, and what is issued in its place is one: the mode of the file before is not kept.
func TestLocalCAFilesAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, files := newLocalCA(t, dir, time.Now())
	if err := os.Chmod(files.key, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.key+".new", nil, 0o644); err != nil { // left by a run that was killed
		t.Fatal(err)
	}
	before := read(t, files.chain)
	if _, err := ca.ensureLocalhost(time.Now()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(files.key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of %s that is issued again = %v, %v, want 0600", files.key, info.Mode(), err)
	}
	if _, err := files.read(); err != nil || bytes.Equal(read(t, files.chain), before) {
		t.Errorf("the pair that is issued again = %v, want another that can serve", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.new")); err != nil || len(left) > 0 {
		t.Errorf("files left = %v, %v, want none", left, err)
	}
}

func TestRootsWithLocalCA(t *testing.T) {
	t.Parallel()
	system, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	with, without := t.TempDir(), t.TempDir()
	ca, files := newLocalCA(t, with, time.Now())
	roots, err := rootsWithLocalCA(with)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.leaf(t).Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"}); err != nil {
		t.Errorf("Verify(localhost) with the authority of the directory = %v, want no error", err)
	}
	system.AddCert(ca.pair.Leaf)
	if !roots.Equal(system) {
		t.Error("the authorities are not those of this machine and that of the directory")
	}
	roots, err = rootsWithLocalCA(without)
	if err != nil {
		t.Fatal(err)
	}
	_, err = files.leaf(t).Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"})
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		t.Errorf("Verify(localhost) without it = %v, want an unknown authority", err)
	}
	replace(t, ca.certificateFile, []byte("nonsense"))
	if _, err := rootsWithLocalCA(with); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("rootsWithLocalCA(of nonsense) = %v, want an error that says so", err)
	}
}

// startDev runs `credence dev` in a process of its own until stop, and returns what it printed.
func startDev(t *testing.T, dir string, flags ...string) (printed string, stop func()) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(programDir(t), "credence"),
		append([]string{"dev", "--data", dir, "--listen", "localhost:0", "--demo-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}, flags...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("credence dev ended with %v, want status 0", err)
		}
	}
	t.Cleanup(stop)
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Stop with Ctrl-C") {
			return text.String(), stop
		}
	}
	t.Fatalf("credence dev ended before it ran: %s", &text)
	return "", nil
}

// found is what an expression finds in what a program printed.
func found(t *testing.T, expression, printed string) string {
	t.Helper()
	match := regexp.MustCompile(expression).FindStringSubmatch(printed)
	if match == nil {
		t.Fatalf("credence dev did not print %q: %s", expression, printed)
	}
	return match[1]
}

// fetched is the answer at the end of a chain of redirects.
type fetched struct {
	status int
	url    *url.URL
	body   string
}

// fetch asks for a page, and follows redirects.
func fetch(t *testing.T, client *http.Client, method, address string, form url.Values) (fetched, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(r)
	if err != nil {
		return fetched{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return fetched{resp.StatusCode, resp.Request.URL, string(body)}, err
}

// A developer tries Credence over TLS: a client has to trust the authority that `dev` prints, the demo does so by itself,
// and the other commands find the issuer. Without the flag everything is as before.
func TestDevHTTPS(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	printed, stop := startDev(t, dir, "--https")
	issuer, demo := found(t, `Issuer +(https://localhost:\d+)\n`, printed), found(t, `Demo service +(\S+)`, printed)
	caFile := found(t, `Authority +(\S+)`, printed)
	authority := read(t, caFile)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("%s = %q, want a certificate", caFile, authority)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	browser := &http.Client{Jar: jar, Transport: transport}

	_, port, _ := strings.Cut(issuer, "https://localhost:")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		got, err := fetch(t, browser, http.MethodGet, "https://"+host+":"+port+"/.well-known/openid-configuration", nil)
		if err != nil || got.status != http.StatusOK || !strings.Contains(got.body, `"issuer":"`+issuer+`"`) {
			t.Errorf("discovery at %s = %q, %v, want that of %s", host, got.body, err, issuer)
		}
	}
	_, err = fetch(t, new(http.Client), http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		t.Errorf("discovery without trust in the authority = %v, want an unknown authority", err)
	}

	got, err := fetch(t, browser, http.MethodGet, demo+"/sign-in", nil)
	if err != nil || got.status != http.StatusOK || !strings.HasPrefix(got.url.String(), issuer+"/authorize?") {
		t.Fatalf("the demo's sign-in = %+v, %v, want that it leads to the provider, which shows its sign-in page", got, err)
	}
	cookies := jar.Cookies(got.url)
	if len(cookies) == 0 {
		t.Error("the sign-in page sets no cookie, want one that binds it to the browser")
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("cookie %s of the provider, want __Host- before it", c.Name)
		}
	}
	simulated := issuer + found(t, `href="(/sign-in/simulated\?state=[\w-]+)"`, got.body)
	got, err = fetch(t, browser, http.MethodPost, simulated, url.Values{"username": {"656005750108"}, "method": {"smartcard"}})
	if err != nil || got.status != http.StatusOK || got.url.String() != demo+"/" || !strings.Contains(got.body, "656005750108") {
		t.Errorf("after the sign-in = %+v, %v, want the ward list of the person", got, err)
	}

	link := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "person", "enrol-link", enrolPerson, "--data", dir)
	if out, err := link.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(issuer+"/enrol?token=")) {
		t.Errorf("credence person enrol-link = %q, %v, want a link to %s", out, err, issuer)
	}
	stop()

	printed, stop = startDev(t, dir)
	plain := found(t, `Issuer +(http://localhost:\d+)\n`, printed)
	if strings.Contains(printed, "Authority") {
		t.Errorf("credence dev without --https prints %s, want nothing about an authority", printed)
	}
	got, err = fetch(t, new(http.Client), http.MethodGet, plain+"/.well-known/openid-configuration", nil)
	if err != nil || got.status != http.StatusOK || !strings.Contains(got.body, `"issuer":"`+plain+`"`) {
		t.Errorf("discovery without --https = %q, %v, want that of %s", got.body, err, plain)
	}
	if got := string(read(t, filepath.Join(dir, issuerFile))); got != plain+"\n" {
		t.Errorf("the issuer of the directory = %q, want %q", got, plain)
	}
	stop()

	printed, _ = startDev(t, dir, "--https")
	if again := read(t, found(t, `Authority +(\S+)`, printed)); !bytes.Equal(again, authority) {
		t.Error("the second run with --https has another authority, want the one that is trusted already")
	}
}
