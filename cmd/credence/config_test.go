package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file writes a file that only its owner may read.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	databaseURL = "postgres://credence_service:hunter2@db.example.org/credence"
	ownerURL    = "postgresql://credence_owner:hunter3@db.example.org/credence"
)

func TestReadConfig(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environ []string
		want    config
	}{
		"nothing": {
			nil,
			config{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1"},
		},
		"everything": {
			[]string{
				"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_LISTEN=:80", "CREDENCE_METRICS_LISTEN=[::1]:0", "CREDENCE_SEAL_KEY_FILE=/seal.key",
				"CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_DATABASE_OWNER_URL=" + ownerURL,
				"CREDENCE_TLS_CERTIFICATE_FILE=/tls.pem", "CREDENCE_TLS_KEY_FILE=/tls.key", "CREDENCE_TRUSTED_PROXIES=192.0.2.1, 2001:db8::/64",
				"CREDENCE_OTLP_ENDPOINT=https://collector.example.org:4318/otlp", "CREDENCE_TRACE_RATIO=0.25",
				"CREDENCE_FIDO_METADATA=https://mds3.fidoalliance.org/", "CREDENCE_FIDO_METADATA_ROOT_FILE=/roots.pem", "CREDENCE_FIDO_CERTIFICATION=FIDO_CERTIFIED_L2",
				"CREDENCE_RELATED_ORIGINS=https://id.example.net, https://id.example.com:8443",
				"CREDENCE_SMTP_URL=smtps://ana:hunter4@mail.example.org", "CREDENCE_MAIL_FROM=Registration <registration@example.org>",
				"CREDENCE_HELP_TEXT=Ask the service desk.", "CREDENCE_HELP_EMAIL=help@example.org", "CREDENCE_HELP_TELEPHONE=0113 496 0000",
			},
			config{Issuer: "https://id.example.org", Listen: ":80", TLSCertificateFile: "/tls.pem", TLSKeyFile: "/tls.key", TrustedProxies: "192.0.2.1, 2001:db8::/64", MetricsListen: "[::1]:0", OTLPEndpoint: "https://collector.example.org:4318/otlp", TraceRatio: "0.25", SealKeyFile: "/seal.key", DatabaseURL: databaseURL, DatabaseOwnerURL: ownerURL, FIDOMetadata: "https://mds3.fidoalliance.org/", FIDOMetadataRootFile: "/roots.pem", FIDOCertification: "FIDO_CERTIFIED_L2", RelatedOrigins: "https://id.example.net, https://id.example.com:8443", SMTPURL: "smtps://ana:hunter4@mail.example.org", MailFrom: "Registration <registration@example.org>", HelpText: "Ask the service desk.", HelpEmail: "help@example.org", HelpTelephone: "0113 496 0000"},
		},
		"secrets in files": {
			[]string{"CREDENCE_DATABASE_URL_FILE=" + file(t, databaseURL+"\n"), "CREDENCE_DATABASE_OWNER_URL_FILE=" + file(t, ownerURL)},
			config{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1", DatabaseURL: databaseURL, DatabaseOwnerURL: ownerURL},
		},
		"empty values, which count as not set": {
			[]string{"CREDENCE_ISSUER=", "CREDENCE_LISTEN=", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_DATABASE_URL_FILE="},
			config{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1", DatabaseURL: databaseURL},
		},
		"what belongs to others, and to the tests": {
			[]string{"PATH=/bin", "credence_issuer=x", "CREDENCE=x", "CREDENCE_TEST_DATABASE=postgres://", "CREDENCE_SCREENSHOTS=/tmp", "="},
			config{Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1"},
		},
		"an issuer with a port": {
			[]string{"CREDENCE_ISSUER=https://id.example.org:443"},
			config{Issuer: "https://id.example.org:443", Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1"},
		},
		"an http issuer on a loopback address": {
			[]string{"CREDENCE_ISSUER=http://[::1]:8080"},
			config{Issuer: "http://[::1]:8080", Listen: "127.0.0.1:8080", MetricsListen: "127.0.0.1:9464", TraceRatio: "1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readConfig(test.environ)
			if err != nil {
				t.Fatalf("readConfig(%v) = %v, want nil", test.environ, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("readConfig(%v) (-want +got):\n%s", test.environ, diff)
			}
		})
	}
}

func TestReadConfigRefuses(t *testing.T) {
	t.Parallel()
	absent := filepath.Join(t.TempDir(), "absent")
	for name, test := range map[string]struct {
		environ []string
		want    []string // of the error, a line each
	}{
		"an unknown name, and suggests the nearest": {[]string{"CREDENCE_ISSUR="}, []string{"CREDENCE_ISSUR is no setting: did you mean CREDENCE_ISSUER?"}},
		"a name far from all, and lists them": {
			[]string{"CREDENCE_PORT=80"},
			[]string{"CREDENCE_PORT is no setting: there are CREDENCE_ISSUER, CREDENCE_LISTEN, CREDENCE_TLS_CERTIFICATE_FILE, CREDENCE_TLS_KEY_FILE, CREDENCE_TRUSTED_PROXIES, CREDENCE_METRICS_LISTEN, CREDENCE_OTLP_ENDPOINT, CREDENCE_TRACE_RATIO, CREDENCE_FIDO_METADATA, CREDENCE_FIDO_METADATA_ROOT_FILE, CREDENCE_FIDO_CERTIFICATION, CREDENCE_RELATED_ORIGINS, CREDENCE_SMTP_URL, CREDENCE_SMTP_URL_FILE, CREDENCE_MAIL_FROM, CREDENCE_HELP_TEXT, CREDENCE_HELP_EMAIL, CREDENCE_HELP_TELEPHONE, CREDENCE_DATABASE_URL, CREDENCE_DATABASE_URL_FILE, CREDENCE_DATABASE_OWNER_URL, CREDENCE_DATABASE_OWNER_URL_FILE, CREDENCE_SEAL_KEY_FILE"},
		},
		"a database of another kind in a file":    {[]string{"CREDENCE_DATABASE_URL_FILE=" + file(t, "mysql://u:hunter2@h/d")}, []string{"CREDENCE_DATABASE_URL_FILE: want postgres://"}},
		"a name that is abbreviated":              {[]string{"CREDENCE_TLS_CERT_FILE=x"}, []string{"CREDENCE_TLS_CERT_FILE is no setting: did you mean CREDENCE_TLS_CERTIFICATE_FILE?"}},
		"a name that begins wrongly":              {[]string{"CREDENCE_TATABASE_URL=x"}, []string{"did you mean CREDENCE_DATABASE_URL?"}},
		"a seal key outside a file":               {[]string{"CREDENCE_SEAL_KEY=x"}, []string{"CREDENCE_SEAL_KEY is no setting: did you mean CREDENCE_SEAL_KEY_FILE?"}},
		"a file for what is no secret":            {[]string{"CREDENCE_LISTEN_FILE=x"}, []string{"CREDENCE_LISTEN_FILE is no setting: did you mean CREDENCE_LISTEN?"}},
		"a secret and its file":                   {[]string{"CREDENCE_DATABASE_URL=x", "CREDENCE_DATABASE_URL_FILE=y"}, []string{"CREDENCE_DATABASE_URL and CREDENCE_DATABASE_URL_FILE are both set"}},
		"a file that is not there":                {[]string{"CREDENCE_DATABASE_URL_FILE=" + absent}, []string{"CREDENCE_DATABASE_URL_FILE: open " + absent}},
		"an empty file":                           {[]string{"CREDENCE_DATABASE_URL_FILE=" + file(t, "\n")}, []string{"is empty"}},
		"a file that is too long":                 {[]string{"CREDENCE_DATABASE_URL_FILE=" + file(t, strings.Repeat("x", 70_000))}, []string{"is longer than"}},
		"a database of another kind":              {[]string{"CREDENCE_DATABASE_URL=mysql://u:hunter2@h/d"}, []string{"CREDENCE_DATABASE_URL: want postgres://"}},
		"a database URL that does not parse":      {[]string{"CREDENCE_DATABASE_URL=postgres://u:hunter2%@h/d"}, []string{"CREDENCE_DATABASE_URL: want postgres://"}},
		"an http issuer":                          {[]string{"CREDENCE_ISSUER=http://id.example.org"}, []string{`CREDENCE_ISSUER is "http://id.example.org": want https://`}},
		"an http issuer that looks like loopback": {[]string{"CREDENCE_ISSUER=http://localhost.example.org"}, []string{"want https://"}},
		"an issuer of another scheme":             {[]string{"CREDENCE_ISSUER=ftp://localhost"}, []string{"want https://"}},
		"an issuer with a slash at its end":       {[]string{"CREDENCE_ISSUER=https://id.example.org/"}, []string{"without a slash"}},
		"an issuer with a query":                  {[]string{"CREDENCE_ISSUER=https://id.example.org?a=b"}, []string{"scheme and host alone"}},
		"an issuer with an empty fragment":        {[]string{"CREDENCE_ISSUER=https://id.example.org#"}, []string{"scheme and host alone"}},
		"an issuer with a user":                   {[]string{"CREDENCE_ISSUER=https://user@id.example.org"}, []string{"scheme and host alone"}},
		"an issuer in capital letters":            {[]string{"CREDENCE_ISSUER=https://ID.example.org"}, []string{"in small letters"}},
		"an issuer without a host":                {[]string{"CREDENCE_ISSUER=https://:443"}, []string{"scheme and host alone"}},
		"a listen address without a port":         {[]string{"CREDENCE_LISTEN=127.0.0.1"}, []string{`CREDENCE_LISTEN is "127.0.0.1": want host:port`}},
		"a listen address with a port by name":    {[]string{"CREDENCE_METRICS_LISTEN=:http"}, []string{"CREDENCE_METRICS_LISTEN"}},
		"a proxy by name":                         {[]string{"CREDENCE_TRUSTED_PROXIES=192.0.2.1,proxy.example.org"}, []string{`"proxy.example.org" is no address and no network`}},
		"a proxy too few":                         {[]string{"CREDENCE_TRUSTED_PROXIES=192.0.2.1,"}, []string{`"" is no address`}},
		"proxies that are everybody":              {[]string{"CREDENCE_TRUSTED_PROXIES=0.0.0.0/0"}, []string{`"0.0.0.0/0" names everybody`}},
		"proxies that are everybody of IPv6":      {[]string{"CREDENCE_TRUSTED_PROXIES=192.0.2.1,::/0"}, []string{`"::/0" names everybody`}},
		"a proxy of IPv4 as one of IPv6":          {[]string{"CREDENCE_TRUSTED_PROXIES=::ffff:192.0.2.1"}, []string{"want such as 192.0.2.10"}},
		"a collector over a network in clear":     {[]string{"CREDENCE_OTLP_ENDPOINT=http://collector.example.org:4318"}, []string{"want https://"}},
		"a collector with a slash at its end":     {[]string{"CREDENCE_OTLP_ENDPOINT=https://collector.example.org/"}, []string{"without a slash"}},
		"a collector with a password":             {[]string{"CREDENCE_OTLP_ENDPOINT=https://u:p@collector.example.org"}, []string{"want scheme, host and port"}},
		"a collector without a scheme":            {[]string{"CREDENCE_OTLP_ENDPOINT=collector:4318"}, []string{"want scheme, host and port"}},
		"a ratio that is more than all":           {[]string{"CREDENCE_TRACE_RATIO=1.5"}, []string{`CREDENCE_TRACE_RATIO is "1.5": want a number from 0 to 1`}},
		"a ratio that is less than nothing":       {[]string{"CREDENCE_TRACE_RATIO=-0.1"}, []string{"from 0 to 1"}},
		"a ratio that is no number":               {[]string{"CREDENCE_TRACE_RATIO=NaN"}, []string{"from 0 to 1"}},
		"metadata over a network in clear":        {[]string{"CREDENCE_FIDO_METADATA=http://mds3.fidoalliance.org/"}, []string{"want an https URL"}},
		"metadata of a host that is none":         {[]string{"CREDENCE_FIDO_METADATA=https:///blob"}, []string{"want an https URL"}},
		"a certification that there is not":       {[]string{"CREDENCE_FIDO_CERTIFICATION=L1"}, []string{"want one of FIDO_CERTIFIED_L1, "}},
		"no certification":                        {[]string{"CREDENCE_FIDO_CERTIFICATION=NOT_FIDO_CERTIFIED"}, []string{"want one of FIDO_CERTIFIED_L1, "}},
		"a related origin in clear":               {[]string{"CREDENCE_RELATED_ORIGINS=http://id.example.net"}, []string{`"http://id.example.net" is no other origin`}},
		"a related origin with a path":            {[]string{"CREDENCE_RELATED_ORIGINS=https://id.example.net/"}, []string{`"https://id.example.net/" is no other origin`}},
		"a related origin with the usual port":    {[]string{"CREDENCE_RELATED_ORIGINS=https://id.example.net:443"}, []string{"is no other origin"}},
		"a related origin twice":                  {[]string{"CREDENCE_RELATED_ORIGINS=https://id.example.net,https://id.example.net"}, []string{"is no other origin"}},
		"more related origins than browsers take": {[]string{"CREDENCE_RELATED_ORIGINS=https://a.net,https://b.net,https://c.net,https://d.net,https://e.net,https://f.net"}, []string{"at most 5"}},
		"a mail server without a scheme":          {[]string{"CREDENCE_SMTP_URL=ana:hunter4@mail.example.org"}, []string{"CREDENCE_SMTP_URL: want smtps://"}},
		"a mail server without a password":        {[]string{"CREDENCE_SMTP_URL=smtps://ana@mail.example.org"}, []string{"CREDENCE_SMTP_URL: want both"}},
		"a help desk that a link cannot have":     {[]string{"CREDENCE_HELP_EMAIL=help@example.org?bcc=eve"}, []string{`CREDENCE_HELP_EMAIL is "help@example.org?bcc=eve": help_email: want an email address`}},
		"a telephone number in words":             {[]string{"CREDENCE_HELP_TELEPHONE=ask"}, []string{`CREDENCE_HELP_TELEPHONE is "ask": help_telephone: want a telephone number`}},
		"a sender who has no address":             {[]string{"CREDENCE_MAIL_FROM=Registration"}, []string{`CREDENCE_MAIL_FROM is "Registration": want an address`}},
		"a port that is too high":                 {[]string{"CREDENCE_LISTEN=:65536"}, []string{"0 to 65535"}},
		"several mistakes, and says them all": {
			[]string{"CREDENCE_DATABASE=x", "CREDENCE_LISTEN=8080", "CREDENCE_ISSUER=id.example.org"},
			[]string{"CREDENCE_DATABASE is no setting: did you mean CREDENCE_DATABASE_URL?", "CREDENCE_ISSUER is", "CREDENCE_LISTEN is"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readConfig(test.environ)
			checkMistakes(t, err, test.want)
		})
	}
}

// checkMistakes wants an error of so many lines, with a text in each, and no secret in any.
func checkMistakes(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatalf("error = nil, want one with %q", want)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("error = %q, want lines with %q", lines, want)
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) {
			t.Errorf("line %d of error = %q, want one with %q", i, line, want[i])
		}
		if strings.Contains(line, "hunter") {
			t.Errorf("line %d of error = %q, want it without the password", i, line)
		}
	}
}

func TestReadServeConfig(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("0123456789abcdef", 4)
	seal := file(t, digits+"\n")
	group, others := file(t, digits), file(t, digits)
	for path, mode := range map[string]os.FileMode{group: 0o640, others: 0o604} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		environ []string
		want    []string // of the error, a line each
	}{
		"a complete one": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_TRUSTED_PROXIES=192.0.2.10", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + seal}, nil,
		},
		"one with a certificate": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_TLS_CERTIFICATE_FILE=a", "CREDENCE_TLS_KEY_FILE=b", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + seal}, nil,
		},
		"one that ends TLS nowhere": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + seal},
			[]string{"TLS ends neither here nor at a proxy that is named: set CREDENCE_TLS_CERTIFICATE_FILE"},
		},
		"one with a mail server and no sender": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_TRUSTED_PROXIES=192.0.2.10", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + seal, "CREDENCE_SMTP_URL=smtps://ana:hunter4@mail.example.org"},
			[]string{"CREDENCE_SMTP_URL and CREDENCE_MAIL_FROM: set both"},
		},
		"an empty one": {
			nil, []string{"CREDENCE_ISSUER is not set", "CREDENCE_DATABASE_URL is not set", "CREDENCE_SEAL_KEY_FILE is not set: make a key with"},
		},
		"one with every kind of mistake": {
			[]string{"CREDENCE_ISUER=x", "CREDENCE_LISTEN=x", "CREDENCE_DATABASE_URL=x", "CREDENCE_SEAL_KEY_FILE=" + file(t, digits[1:])},
			[]string{"did you mean CREDENCE_ISSUER?", "CREDENCE_ISSUER is not set", "CREDENCE_LISTEN is", "CREDENCE_DATABASE_URL: want", "64 hexadecimal digits"},
		},
		"a seal key that the group may read": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_TRUSTED_PROXIES=192.0.2.10", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + group},
			[]string{"others may read " + group + " (mode 0640): chmod 600 it"},
		},
		"a seal key that everybody may read": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_TRUSTED_PROXIES=192.0.2.10", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + others},
			[]string{"chmod 600"},
		},
		"a seal key that is not there": {
			[]string{"CREDENCE_ISSUER=https://id.example.org", "CREDENCE_TRUSTED_PROXIES=192.0.2.10", "CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + seal + "x"},
			[]string{"CREDENCE_SEAL_KEY_FILE: open " + seal + "x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, key, err := readServeConfig(test.environ)
			if test.want != nil {
				checkMistakes(t, err, test.want)
				return
			}
			if err != nil || c.Issuer != "https://id.example.org" {
				t.Errorf("readServeConfig(%v) = %+v, %v", test.environ, c, err)
			}
			if want, err := readSealKey(seal); err != nil || !bytes.Equal(key.MAC("test", nil), want.MAC("test", nil)) {
				t.Errorf("readServeConfig(%v) has not the key of %s", test.environ, seal)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		among []string
		want  string
	}{
		{"serv", []string{"dev", "serve"}, "serve"},
		{"devv", []string{"db", "dev"}, "dev"},
		{"ad", []string{"grant", "add"}, "add"},
		{"rserve", []string{"dev", "serve"}, "serve"},
		{"person", []string{"person"}, "person"},
	} {
		if got := nearest(test.name, test.among); got != test.want {
			t.Errorf("nearest(%q, %q) = %q, want %q", test.name, test.among, got, test.want)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "abc", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abd", 1},
		{"abc", "ac", 1},
		{"ac", "abc", 1},
		{"ab", "ba", 2},
		{"kitten", "sitting", 3},
	} {
		if got := changes(test.a, test.b); got != test.want {
			t.Errorf("changes(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestParseProxies(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"":                                "[]",
		"192.0.2.1":                       "[192.0.2.1/32]",
		"2001:db8::1":                     "[2001:db8::1/128]",
		"10.0.0.0/8 ,2001:db8::/64,\t::1": "[10.0.0.0/8 2001:db8::/64 ::1/128]",
	} {
		if got, err := parseProxies(list); err != nil || fmt.Sprint(got) != want {
			t.Errorf("parseProxies(%q) = %v, %v, want %s", list, got, err, want)
		}
	}
}
