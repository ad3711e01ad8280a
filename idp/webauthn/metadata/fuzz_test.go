package metadata

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// What nobody whom we trust has signed is refused, whatever it looks like.
func FuzzParse(f *testing.F) {
	f.Add([]byte("eyJhbGciOiJFUzI1NiIsIng1YyI6WyJNSUlCIl19.e30.AAAA"))
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	f.Add([]byte(`{"payload":"e30","signatures":[{"header":{"alg":"ES256"},"signature":"AAAA"}]}`))
	trust, now := FIDO(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, blob []byte) {
		if b, err := Parse(blob, trust, now); err == nil {
			t.Errorf("Parse(%q) = %+v, want it refused", blob, b)
		}
	})
}

// What was signed and makes no sense is refused, or counts for no more than it says.
func FuzzRead(f *testing.F) {
	const aaguid = "11111111-2222-4333-8444-555555555555"
	for _, payload := range []string{
		`{"no":1,"nextUpdate":"2026-04-01"}`,
		`{"no":1e3,"nextUpdate":"","entries":[null]}`,
		`{"no":1,"nextUpdate":"2026-04-01","entries":[{"aaguid":"` + aaguid + `","metadataStatement":{"description":"Key","keyProtection":["hardware"],
			"attestationRootCertificates":["MIIB\n"]},"statusReports":[{"status":"FIDO_CERTIFIED_L2","effectiveDate":"2021-01-01"},{"status":"REVOKED"}]}]}`,
		`{"no":1,"nextUpdate":"2026-04-01","entries":[{"aaguid":"{` + aaguid + `}"},{"aaguid":"urn:uuid:` + aaguid + `"}]}`,
	} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		b, err := read(payload)
		if err != nil {
			return
		}
		if b.Number < 0 {
			t.Errorf("read(%q) = %+v", payload, b)
		}
		for id, m := range b.Models {
			taken, statuses, certified := m.At(b.NextUpdate)
			if id == uuid.Nil || len(m.Name) > 200 || certified < 0 || int(certified) > len(Certifications()) || taken.None() != (len(statuses) == 0) || taken.Retired && certified > 0 {
				t.Errorf("read(%q) has %s: %+v, at %v: %+v %q %v", payload, id, m, b.NextUpdate, taken, statuses, certified)
			}
		}
	})
}
