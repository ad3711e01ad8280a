package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
)

// config is what the environment says. These comments are the manual. `credence serve` needs what is marked (serve),
// `credence migrate` what is marked (migrate); every other command needs the database only, and finds that of a running
// `credence dev` by itself. A setting that is empty counts as not set.
type config struct {
	// CREDENCE_ISSUER (serve) is the address at which people and clients reach the provider, and its name in every token.
	// Clients compare it byte for byte, so choose it once. https, without a path and without a slash at its end; http is
	// taken only for a loopback host. No default. Example: https://id.example.org
	Issuer string

	// CREDENCE_LISTEN (serve) is where the server takes connections, as host:port. An empty host is every interface.
	// Without a TLS certificate it speaks plain text: let only the TLS proxy reach it. Default: 127.0.0.1:8080.
	Listen string

	// CREDENCE_TLS_CERTIFICATE_FILE (serve) names the file with the certificate that the server proves its name with, as
	// PEM: its own first, which covers the host of the issuer, then those of its issuers. With it the server ends TLS
	// itself, 1.2 or 1.3. Both files are read again when they change. Default: none, and TLS ends before the server.
	TLSCertificateFile string

	// CREDENCE_TLS_KEY_FILE (serve) names the file with the private key of the certificate, as PEM, which only the
	// server's user may read. Set both or neither. Default: none.
	TLSKeyFile string

	// CREDENCE_TRUSTED_PROXIES (serve) lists the proxies that requests come through, as addresses and networks separated by
	// commas: their word on a client's address, in X-Forwarded-For, is taken, and each has to add to that header. Behind a
	// proxy that is not listed everybody has the proxy's address, in the record and for limits. With an https issuer it is
	// needed when TLS does not end in the server. Default: none, and the address is the connection's.
	// Example: 192.0.2.10, 2001:db8:0:1::/64
	TrustedProxies string

	// CREDENCE_METRICS_LISTEN (serve) is where Prometheus reads metrics, as host:port. It asks for no password: keep it
	// inside. Default: 127.0.0.1:9464.
	MetricsListen string

	// CREDENCE_OTLP_ENDPOINT (serve) is the OpenTelemetry collector that gets a trace of requests, by OTLP/HTTP: the address
	// before /v1/traces. https, and http for a loopback host only. A collector that is away costs traces and never a request.
	// Default: none, and nothing is traced. Example: https://collector.example.org:4318
	OTLPEndpoint string

	// CREDENCE_TRACE_RATIO (serve) is which part of requests is traced, from 0 to 1. Of a request with a traceparent from a
	// trusted proxy the proxy has decided: see that it sets its own and passes on nobody's. Default: 1.
	TraceRatio string

	// CREDENCE_FIDO_METADATA (serve) is where the blob of the FIDO Metadata Service comes from, by which authenticators are
	// judged: an https URL, asked once a day, or a file, read each hour. What was taken stays in the database, so one replica
	// with it serves all. Default: none, and only the models that `credence authenticator model` names are known.
	// Example: https://mds3.fidoalliance.org/
	FIDOMetadata string

	// CREDENCE_FIDO_METADATA_ROOT_FILE names the file with the certificates, as PEM, to one of which the signature of the
	// blob has to chain: whoever has a certificate under them signs metadata, so name an authority of your own. The commands
	// that read metadata need it as well. Default: GlobalSign's, with the signer of the FIDO Alliance alone.
	FIDOMetadataRootFile string

	// CREDENCE_FIDO_CERTIFICATION is the lowest level of certification by FIDO with which a model that protects its keys in
	// hardware reaches AAL3 without being named by the operator. Default: FIDO_CERTIFIED_L1. Example: FIDO_CERTIFIED_L2
	FIDOCertification string

	// CREDENCE_RELATED_ORIGINS (serve) lists other origins, separated by commas, whose pages may use the passkeys of the
	// issuer's host: browsers read them there, and take at most five different domains. Default: none.
	// Example: https://id.example.net, https://sign-in.example.com
	RelatedOrigins string

	// CREDENCE_SMTP_URL (serve) is the mail server that takes messages to people: smtps://user:password@host:465, or smtp:// for
	// STARTTLS, which only a server on this machine may lack. What is special in the password is percent-encoded.
	// CREDENCE_SMTP_URL_FILE names a file that holds it instead. Default: none, and nobody is told anything by mail.
	SMTPURL string

	// CREDENCE_MAIL_FROM (serve) is whom people see as the sender of messages. It is needed with CREDENCE_SMTP_URL. No default.
	// Example: Registration authority <registration@example.org>
	MailFrom string

	// CREDENCE_HELP_TEXT (serve) says in a sentence or two where people find help, at the end of each page: whoever has not signed
	// in yet, and whose organisation says nothing (`credence organisation policy`). Default: none.
	// Example: Ask the service desk of your organisation.
	HelpText string

	// CREDENCE_HELP_EMAIL (serve) is the address of the help desk, for the same people. Default: none. Example: help@example.org
	HelpEmail string

	// CREDENCE_HELP_TELEPHONE (serve) is its telephone number. Default: none. Example: 0113 496 0000
	HelpTelephone string

	// CREDENCE_DATABASE_URL (serve) names the PostgreSQL database and the service role, which may read and write rows and
	// nothing else. It holds a password; CREDENCE_DATABASE_URL_FILE names a file that holds it instead.
	// No default. Example: postgres://credence_service:password@db.example.org/credence?sslmode=verify-full
	DatabaseURL string

	// CREDENCE_DATABASE_OWNER_URL (migrate) is the same for the role that owns the tables. The server does not need it and
	// should not have it. CREDENCE_DATABASE_OWNER_URL_FILE names a file that holds it instead. No default.
	DatabaseOwnerURL string

	// CREDENCE_SEAL_KEY_FILE (serve) names the file with the key that seals signing keys in the database and what travels
	// through browsers: 64 hexadecimal digits, which only the server's user may read. Every replica has the same; without
	// it the signing keys are lost. Make it with: (umask 077; openssl rand -hex 32 > seal.key). While the key is rotated
	// the file has a line for each key, three at most: the first seals, the others only open. No default.
	SealKeyFile string
}

// setting ties a field of config to its name.
type setting struct {
	name  string
	value *string
	check func(string) error
	fix   string // said to who needs it and has not set it
	// secret settings may come from a file that name + fileSuffix names, and are never quoted.
	secret bool
}

const fileSuffix = "_FILE"

func (c *config) settings() []setting {
	return []setting{
		{name: "CREDENCE_ISSUER", value: &c.Issuer, check: checkIssuer, fix: "set it to the address at which clients reach the provider, such as https://id.example.org"},
		{name: "CREDENCE_LISTEN", value: &c.Listen, check: checkListen},
		{name: "CREDENCE_TLS_CERTIFICATE_FILE", value: &c.TLSCertificateFile, check: anyText},
		{name: "CREDENCE_TLS_KEY_FILE", value: &c.TLSKeyFile, check: anyText},
		{name: "CREDENCE_TRUSTED_PROXIES", value: &c.TrustedProxies, check: checkProxies},
		{name: "CREDENCE_METRICS_LISTEN", value: &c.MetricsListen, check: checkListen},
		{name: "CREDENCE_OTLP_ENDPOINT", value: &c.OTLPEndpoint, check: checkCollector},
		{name: "CREDENCE_TRACE_RATIO", value: &c.TraceRatio, check: checkRatio},
		{name: "CREDENCE_FIDO_METADATA", value: &c.FIDOMetadata, check: checkMetadata},
		{name: "CREDENCE_FIDO_METADATA_ROOT_FILE", value: &c.FIDOMetadataRootFile, check: anyText},
		{name: "CREDENCE_FIDO_CERTIFICATION", value: &c.FIDOCertification, check: checkCertification},
		{name: "CREDENCE_RELATED_ORIGINS", value: &c.RelatedOrigins, check: checkOrigins},
		{name: "CREDENCE_SMTP_URL", value: &c.SMTPURL, check: checkSMTP, secret: true},
		{name: "CREDENCE_MAIL_FROM", value: &c.MailFrom, check: checkSender},
		{name: "CREDENCE_HELP_TEXT", value: &c.HelpText, check: func(text string) error { return directory.Help{Text: text}.Check() }},
		{name: "CREDENCE_HELP_EMAIL", value: &c.HelpEmail, check: func(text string) error { return directory.Help{Email: text}.Check() }},
		{name: "CREDENCE_HELP_TELEPHONE", value: &c.HelpTelephone, check: func(text string) error { return directory.Help{Telephone: text}.Check() }},
		{name: "CREDENCE_DATABASE_URL", value: &c.DatabaseURL, check: checkDatabaseURL, fix: "set it, or CREDENCE_DATABASE_URL_FILE, to postgres://user:password@host:port/database", secret: true},
		{name: "CREDENCE_DATABASE_OWNER_URL", value: &c.DatabaseOwnerURL, check: checkDatabaseURL, secret: true},
		{name: "CREDENCE_SEAL_KEY_FILE", value: &c.SealKeyFile, check: anyText, fix: "make a key with (umask 077; openssl rand -hex 32 > seal.key) and set it to the file"},
	}
}

// anyText accepts a setting that whoever uses it will check.
func anyText(string) error { return nil }

// testSettings are read by the tests, which start the program with what they were given.
func testSettings() []string { return []string{"CREDENCE_TEST_DATABASE", "CREDENCE_SCREENSHOTS"} }

// readServeConfig reads the configuration that `credence serve` needs, and the seal key. All mistakes are reported
// together.
func readServeConfig(environ []string) (config, seal.Key, error) {
	c, err := readConfig(environ, "CREDENCE_ISSUER", "CREDENCE_DATABASE_URL", "CREDENCE_SEAL_KEY_FILE")
	var key seal.Key
	if c.SealKeyFile != "" {
		var unread error
		if key, unread = readSealKey(c.SealKeyFile); unread != nil {
			err = errors.Join(err, fmt.Errorf("CREDENCE_SEAL_KEY_FILE: %w", unread))
		}
	}
	if strings.HasPrefix(c.Issuer, "https://") && c.TLSCertificateFile == "" && c.TrustedProxies == "" {
		err = errors.Join(err, errors.New("TLS ends neither here nor at a proxy that is named: set CREDENCE_TLS_CERTIFICATE_FILE and CREDENCE_TLS_KEY_FILE, or CREDENCE_TRUSTED_PROXIES to the addresses of the TLS proxy, or everybody behind it would be one address"))
	}
	if (c.SMTPURL == "") != (c.MailFrom == "") {
		err = errors.Join(err, errors.New("CREDENCE_SMTP_URL and CREDENCE_MAIL_FROM: set both to tell people by mail, or neither"))
	}
	return c, key, err
}

// readConfig reads the configuration, wants the needed settings in it, and reports all mistakes together, those of the
// names included.
func readConfig(environ []string, needed ...string) (config, error) {
	c := config{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1"}
	var known []string
	for _, s := range c.settings() {
		known = append(known, s.name)
		if s.secret {
			known = append(known, s.name+fileSuffix)
		}
	}
	given := make(map[string]string)
	var mistakes []error
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case !strings.HasPrefix(name, "CREDENCE_"):
		case slices.Contains(testSettings(), name):
		case !slices.Contains(known, name):
			mistakes = append(mistakes, fmt.Errorf("%s is no setting: %s", name, suggest(name, known)))
		case value != "":
			given[name] = value
		}
	}
	for _, s := range c.settings() {
		value, err := s.read(given)
		if err == nil && value == "" && slices.Contains(needed, s.name) {
			err = fmt.Errorf("%s is not set: %s", s.name, s.fix)
		}
		if err != nil {
			mistakes = append(mistakes, err)
		} else if value != "" {
			*s.value = value
		}
	}
	return c, errors.Join(mistakes...)
}

// read returns the value that was given, or "" when none was.
func (s setting) read(given map[string]string) (string, error) {
	name, value, file := s.name, given[s.name], given[s.name+fileSuffix]
	if s.secret && file != "" {
		name += fileSuffix
		if value != "" {
			return "", fmt.Errorf("%s and %s are both set: unset one of them", s.name, name)
		}
		b, _, err := readSmallFile(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if value = strings.TrimSpace(string(b)); value == "" {
			return "", fmt.Errorf("%s: %s is empty", name, file)
		}
	}
	if value == "" {
		return "", nil
	}
	if err := s.check(value); err != nil {
		if s.secret {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return "", fmt.Errorf("%s is %q: %w", name, value, err)
	}
	return value, nil
}

// readSealKey reads the operator's key, from a file that nobody else may read.
func readSealKey(path string) (seal.Key, error) {
	b, err := readPrivateFile(path)
	if err != nil {
		return seal.Key{}, err
	}
	key, err := seal.ParseKey(string(b))
	if err != nil {
		return seal.Key{}, fmt.Errorf("seal key in %s: %w", path, err)
	}
	return key, nil
}

// readPrivateFile reads a small file that nobody else may read.
func readPrivateFile(path string) ([]byte, error) {
	b, mode, err := readSmallFile(path)
	if err != nil {
		return nil, err
	}
	if mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read %s (mode %04o): chmod 600 it", path, mode.Perm())
	}
	return b, nil
}

// readSmallFile reads a file that is at most as long as a chain of certificates, and tells its mode.
func readSmallFile(path string) ([]byte, os.FileMode, error) {
	const most = 64 << 10
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, 0, err
	}
	if len(b) > most {
		return nil, 0, fmt.Errorf("%s is longer than %d bytes: is it the right file?", path, most)
	}
	return b, info.Mode(), nil
}

// checkIssuer holds an issuer to OpenID Connect Discovery 1.0, Section 3, "using the https scheme with no query or
// fragment component", and to the one spelling that every comparison then finds.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Hostname() == "" || issuer != strings.ToLower(u.Scheme+"://"+u.Host) {
		return errors.New("want scheme and host alone, in small letters and without a slash at the end, such as https://id.example.org")
	}
	if u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()) {
		return nil
	}
	return errors.New("want https://; http:// is for localhost, 127.0.0.1 and [::1] only")
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("want host:port with a port from 0 to 65535, such as 127.0.0.1:8080 or :8080")
	}
	return nil
}

// checkCollector refuses to send traces over a network in clear.
func checkCollector(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(endpoint, "/"):
		return errors.New("want scheme, host and port, and a path if there is one, without a slash at the end, such as https://collector.example.org:4318")
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("want https://; http:// is for localhost, 127.0.0.1 and [::1] only")
}

func checkRatio(text string) error {
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) { // not a number is neither
		return errors.New("want a number from 0 to 1, such as 0.1")
	}
	return nil
}

func checkProxies(list string) error {
	_, err := parseProxies(list)
	return err
}

// parseProxies reads a list of addresses and networks. A network of everybody is none of proxies: it would let each client
// say what its address is.
func parseProxies(list string) ([]netip.Prefix, error) {
	if list == "" {
		return nil, nil
	}
	var proxies []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		proxy, err := netip.ParsePrefix(text)
		if address, notAddress := netip.ParseAddr(text); notAddress == nil {
			proxy, err = address.Prefix(address.BitLen())
		}
		if err == nil && proxy.Bits() == 0 {
			return nil, fmt.Errorf("%q names everybody, and each of them could then say what their address is: name the proxies alone, such as 192.0.2.10", text)
		}
		if err != nil || proxy.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is no address and no network: want such as 192.0.2.10 or 2001:db8:0:1::/64, separated by commas", text)
		}
		proxies = append(proxies, proxy)
	}
	return proxies, nil
}

// checkDatabaseURL must not quote what it was given, which holds a password; so does the error of url.Parse.
func checkDatabaseURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New("want postgres://user:password@host:port/database, with what is special in the password percent-encoded")
	}
	return nil
}

// checkSMTP must not quote what it was given, which holds a password.
func checkSMTP(address string) error {
	_, err := messenger.ParseSMTP(address)
	return err
}

func checkSender(sender string) error {
	if _, err := mail.ParseAddress(sender); err != nil {
		return errors.New("want an address, such as Registration authority <registration@example.org>")
	}
	return nil
}

// suggest names the setting that was probably meant, of those that take no more changes of a letter to reach than a third of
// the name. When there are none it names them all.
func suggest(name string, known []string) string {
	near := slices.DeleteFunc(slices.Clone(known), func(other string) bool { return changes(name, other) > len(name)/3 })
	if len(near) == 0 {
		return "there are " + strings.Join(known, ", ")
	}
	return "did you mean " + nearest(name, near) + "?"
}

// nearest is the one of some names that was probably meant: that which begins like it the longest, since people abbreviate
// and misspell towards the end, and of several the one that takes the fewest changes.
func nearest(name string, among []string) string {
	return slices.MinFunc(among, func(a, b string) int {
		return cmp.Or(common(name, b)-common(name, a), changes(name, a)-changes(name, b))
	})
}

// common is the length of the longest common prefix of two strings.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// changes is the Levenshtein distance of two strings.
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
