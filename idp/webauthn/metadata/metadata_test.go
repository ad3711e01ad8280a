package metadata_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

var (
	now   = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	next  = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	model = uuid.MustParse("11111111-2222-4333-8444-555555555555")
)

func trust(t *testing.T, p *webauthntest.Publisher) metadata.Trust {
	t.Helper()
	own, err := metadata.Own(webauthntest.PEM(p.Root))
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func TestParse(t *testing.T) {
	t.Parallel()
	p, m := webauthntest.NewPublisher("mds.example.org"), webauthntest.NewModel(model)
	blob := p.Blob(7, next, m.Certified(webauthntest.Report{Status: "UPDATE_AVAILABLE", EffectiveDate: "2025-02-03"}))
	got, err := metadata.Parse(append(blob, '\n'), trust(t, p), now)
	if err != nil {
		t.Fatal(err)
	}
	if got.Number != 7 || !got.NextUpdate.Equal(next) || got.Unread != 0 || len(got.Models) != 1 {
		t.Fatalf("Parse() = %+v, want number 7 with one model", got)
	}
	read := got.Models[model]
	if read.Name != "Certified key" || len(read.Roots) != 1 || !read.Roots[0].Equal(m.Root) || !read.ProtectsKeys() {
		t.Errorf("model = %+v, want it as it was published", read)
	}
	if taken, _, certified := read.At(now); !taken.None() || certified != 1 {
		t.Errorf("At(now) = %+v, %v, want nothing taken, and level 1", taken, certified)
	}
}

// sign signs a content that is no blob of entries.
func sign(p *webauthntest.Publisher, content string) []byte {
	return p.Sign(p.Header(), []byte(content))
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	p, other := webauthntest.NewPublisher("mds.example.org"), webauthntest.NewPublisher("mds.example.org")
	whole := p.Blob(7, next)
	content := func() []byte {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(whole), ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}()
	header := func(change func(map[string]any)) []byte {
		h := p.Header()
		change(h)
		return p.Sign(h, content)
	}
	tests := []struct {
		name string
		blob []byte
		at   time.Time
		want string // of the error; "" when it is taken
	}{
		{"a whole blob is taken", whole, now, ""},
		{"nothing is refused", nil, now, "no signed blob"},
		{"a text is refused", []byte("metadata"), now, "no signed blob"},
		{"a header that goes on and on is refused", bytes.Repeat([]byte("a"), 70<<10), now, "no signed blob"},
		{"a blob of more than 20 MiB is refused", append(bytes.Clone(whole), make([]byte, metadata.MaxSize)...), now, "longer than"},
		{"a changed content is refused", bytes.Replace(whole, []byte("."), []byte(".A"), 1), now, "verify signature"},
		{"a signature that is cut is refused", whole[:len(whole)-4], now, "verify signature"},
		{"another root is refused", other.Blob(7, next), now, "certificate signed by unknown authority"},
		{"a chain that does not hold is refused", header(func(h map[string]any) { h["x5c"] = other.Header()["x5c"] }), now, "unknown authority"},
		{"a chain of another key is refused", func() []byte {
			h := other.Header()
			return p.Sign(h, content)
		}(), now, "unknown authority"},
		{"no chain is refused", header(func(h map[string]any) { delete(h, "x5c") }), now, "verify the certificate"},
		{"an empty chain is refused", header(func(h map[string]any) { h["x5c"] = []string{} }), now, "verify the certificate"},
		{"a chain at an address is refused", header(func(h map[string]any) {
			h["x5u"] = "https://evil.example/chain.pem"
			delete(h, "x5c")
		}), now, "verify the certificate"},
		{"a chain that is no certificate is refused", header(func(h map[string]any) { h["x5c"] = []string{"AAAA"} }), now, "read signature"},
		{"no algorithm is refused", header(func(h map[string]any) { h["alg"] = "none" }), now, "read signature"},
		{"a MAC is refused", header(func(h map[string]any) { h["alg"] = "HS256" }), now, "read signature"},
		{"SHA-1 is refused", header(func(h map[string]any) { h["alg"] = "RS1" }), now, "read signature"},
		{"the algorithm of another kind of key is refused", header(func(h map[string]any) { h["alg"] = "RS256" }), now, "verify signature"},
		{"a critical header that nobody knows is refused", header(func(h map[string]any) { h["crit"] = []string{"x"} }), now, "verify signature"},
		{"before the certificate is valid it is refused", whole, now.AddDate(-10, 0, 0), "not yet valid"},
		{"after the certificate has expired it is refused", whole, now.AddDate(20, 0, 0), "expired"},
		{"a content that is no JSON is refused", sign(p, "x"), now, "read content"},
		{"a content without a number is refused", sign(p, `{"nextUpdate":"2026-04-01","entries":[]}`), now, "no number"},
		{"a negative number is refused", sign(p, `{"no":-1,"nextUpdate":"2026-04-01"}`), now, "no number"},
		{"a number of another type is refused", sign(p, `{"no":"7","nextUpdate":"2026-04-01"}`), now, "read content"},
		{"a number that is none is refused", sign(p, `{"no":9007199254740992,"nextUpdate":"2026-04-01"}`), now, "no number"},
		{"a content without a next update is refused", sign(p, `{"no":7}`), now, "nextUpdate"},
		{"entries beyond measure are refused", sign(p, `{"no":7,"nextUpdate":"2026-04-01","entries":[{}`+strings.Repeat(",{}", 10_000)+`]}`), now, "entries"},
		{"a content of the least is taken", sign(p, `{"no":0,"nextUpdate":"2026-04-01"}`), now, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := metadata.Parse(tt.blob, trust(t, p), tt.at)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse() = %v, want %q", err, tt.want)
			}
		})
	}
}

// GlobalSign certifies millions of hosts. A certificate of another is none to sign metadata with.
func TestFIDOIsItsSigner(t *testing.T) {
	t.Parallel()
	var fingerprints []string
	rest, err := os.ReadFile("roots.pem")
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		fingerprints = append(fingerprints, fmt.Sprintf("%x", sha256.Sum256(block.Bytes)))
	}
	want := []string{
		"cbb522d7b7f127ad6a0113865bdf1cd4102e7d0759af635a7cf4720dc963c53b", // GlobalSign Root CA - R3
		"4fa3126d8d3a11d1c4855a4f807cbad6cf919d3a5a88b03bea2c6372d93c40c9", // GlobalSign Root R46
	}
	if diff := cmp.Diff(want, fingerprints); diff != "" {
		t.Errorf("roots.pem (-want +got):\n%s", diff)
	}
	for host, want := range map[string]string{
		"mds.fidoalliance.org": "", "evil.example.org": "not mds.fidoalliance.org", "mds.fidoalliance.org.evil.example": "not mds.fidoalliance.org",
	} {
		p := webauthntest.NewPublisher(host)
		_, err := metadata.Parse(p.Blob(1, next), metadata.FIDO().Under(p.Root), now)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(signed by %s) = %v, want %q", host, err, want)
		}
	}
	if _, err := metadata.Parse(webauthntest.NewPublisher("mds.fidoalliance.org").Blob(1, next), metadata.FIDO(), now); err == nil {
		t.Error("Parse(under a root of nobody's) succeeded")
	}
}

func TestOwn(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if _, err := metadata.Own([]byte(text)); err == nil {
			t.Errorf("Own(%q) succeeded", text)
		}
	}
	// While one root takes the place of another, both are trusted.
	old, young := webauthntest.NewPublisher("a.example"), webauthntest.NewPublisher("b.example")
	both, err := metadata.Own(webauthntest.PEM(old.Root, young.Root))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*webauthntest.Publisher{old, young} {
		if _, err := metadata.Parse(p.Blob(1, next), both, now); err != nil {
			t.Errorf("Parse() = %v, want none", err)
		}
	}
}

func TestWhatCannotBeReadCountsForNothing(t *testing.T) {
	t.Parallel()
	p := webauthntest.NewPublisher("mds.example.org")
	got, err := metadata.Parse(sign(p, `{"no":1,"nextUpdate":"2026-04-01","entries":[
		{"aaid":"1234#5678"},
		{"aaguid":"zero"},
		{"aaguid":"00000000-0000-0000-0000-000000000000"},
		{"aaguid":"`+model.String()+`","metadataStatement":{"description":"`+strings.Repeat("é", 150)+`","attestationRootCertificates":["AAAA","?"]},
			"statusReports":[{"status":"REVOKED","effectiveDate":"some day"},{"status":"FIDO_CERTIFIED_L3","effectiveDate":"some day"}]},
		{"aaguid":"`+model.String()+`","statusReports":[{"status":"USER_VERIFICATION_BYPASS"},{"status":"SOMETHING_NEW"}]}]}`), trust(t, p), now)
	if err != nil || got.Unread != 4 || len(got.Models) != 1 {
		t.Fatalf("Parse() = %+v, %v, want one model and 4 unread", got, err)
	}
	// A date that nobody can read takes no report out of force, and puts no certification into it. Of two entries on a
	// model both hold.
	taken, statuses, certified := got.Models[model].At(now)
	if want := (metadata.Effect{Refused: true, Unverified: true}); taken != want || certified != 0 {
		t.Errorf("At(now) = %+v, %v, want %+v and no certification", taken, certified, want)
	}
	if diff := cmp.Diff([]string{"REVOKED", "USER_VERIFICATION_BYPASS"}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if got.Models[model].ProtectsKeys() {
		t.Error("ProtectsKeys() of a model of which nothing is said = true, want false")
	}
}
