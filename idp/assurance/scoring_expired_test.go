package assurance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
)

// Which documents count after they expired: UK trust framework 1.0, Section 5.2.
func TestScoreExpired(t *testing.T) {
	t.Parallel()
	chip := check("c", assurance.CryptographicInspection, "cryptographic")
	for _, tt := range []struct {
		name      string
		kind      string
		expiresOn string
		beside    []assurance.Piece
		valid     bool
		because   string
	}{
		{"in date", "passport", "2026-09-15", nil, true, "its signature"},
		{"on its last day", "passport", "2026-09-14", nil, true, "its signature"},
		{"a passport that expired yesterday", "passport", "2026-09-13", nil, true, "its signature"},
		{"a passport that expired 12 months ago", "passport", "2025-09-14", nil, true, "its signature"},
		{"an expired passport, and a document in date", "passport", "2026-09-13", []assurance.Piece{piece(assurance.Document, "driving_permit")}, false, "and another document was in force"},
		{"an expired passport, and a document that was not there yet when it was checked", "passport", "2026-09-13", []assurance.Piece{issued(piece(assurance.Document, "driving_permit"), "2026-09-15")}, true, "its signature"},
		{"an expired passport, and a document that was issued that day", "passport", "2026-09-13", []assurance.Piece{issued(piece(assurance.Document, "driving_permit"), "2026-09-14")}, false, "and another document was in force"},
		{"an expired passport, and a document in date of no date of issue", "passport", "2026-09-13", []assurance.Piece{issued(piece(assurance.Document, "driving_permit"), "")}, false, "and another document was in force"},
		{"an expired passport, and a forged document in date", "passport", "2026-09-13", []assurance.Piece{
			piece(assurance.Document, "driving_permit", failed(check("dl", assurance.RecordMatch, ""))),
		}, true, "its signature"},
		{"an expired passport, and an expired document", "passport", "2026-09-13", []assurance.Piece{expired(piece(assurance.Document, "driving_permit"))}, true, "its signature"},
		{"an expired passport, and a letter", "passport", "2026-09-13", []assurance.Piece{piece(assurance.Document, "utility_statement")}, true, "its signature"},
		{"another document that expired yesterday", "driving_permit", "2026-09-13", nil, false, "it had expired on 2026-09-13 when it was checked"},
		{"a passport of no date", "passport", "", nil, false, "its date of expiry is not on record"},
		{"a document that has none", "veterans_card", "", nil, true, "its signature"},
		{"a document that need not have one, and did", "veterans_card", "2026-09-13", nil, false, "it had expired on 2026-09-13 when it was checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := piece(assurance.Document, tt.kind, chip, check("face", assurance.ComparisonInPerson, compared))
			p.IssuedOn, p.ExpiresOn = "2016-01-01", tt.expiresOn
			for i := range p.Checks {
				p.Checks[i].At = today
			}
			s, err := assurance.Score(append([]assurance.Piece{p}, tt.beside...), today.AddDate(0, 1, 0))
			if err != nil {
				t.Fatalf("Score() = %v, want scores", err)
			}
			if got := s.Scores.Evidence[0].Validity > 0; got != tt.valid || (s.Scores.Verification > 0) != tt.valid {
				t.Errorf("Score() = %+v, want it to count: %t, and the comparison with it", s.Scores, tt.valid)
			}
			if got := reason(t, s, assurance.AboutValidity, tt.kind).Because; !strings.Contains(got, tt.because) {
				t.Errorf("because %q, want one that says %q", got, tt.because)
			}
		})
	}
}

// Whoever checks a document anew when it has expired adds nothing and takes nothing away. What was checked while it was in
// date stays proved, by NIST's tables too; and what a source said of the person holds whenever it was said.
func TestChecksAfterExpiry(t *testing.T) {
	t.Parallel()
	inDate, expired := today.AddDate(0, -4, 0), today.AddDate(0, 2, 0)
	at := func(when time.Time, c assurance.Check) assurance.Check {
		c.At = when
		return c
	}
	licence := func(checks ...assurance.Check) assurance.Piece {
		p := piece(assurance.Document, "driving_permit", checks...)
		p.Country, p.Features, p.ExpiresOn = "GBR", []assurance.Feature{assurance.Photocard}, "2026-06-01"
		return p
	}
	data := at(inDate, check("data", assurance.RecordMatch, "authoritative_match core_attributes_validated"))
	seen := at(inDate, check("seen", assurance.PhysicalInspection, "physical visible"+original))
	face := at(inDate, check("face", assurance.ComparisonInPerson, compared))
	code := at(inDate, check("code", assurance.IssuedToken, ""))
	again := at(expired, check("again", assurance.PhysicalInspectionUV, "uv_ir"+original))
	more := licence(again)
	more.ID = "more"
	known := at(expired, check("known", assurance.RecordMatch, noFraud))
	for _, tt := range []struct {
		name                          string
		record                        []assurance.Piece
		validity, fraud, verification int
		ial                           assurance.IAL
		because                       string
	}{
		{"in date", []assurance.Piece{licence(data, seen, face, code)}, 2, 0, 3, 1, "its details match an authoritative source"},
		{
			"in date, and once more when it had expired",
			[]assurance.Piece{licence(data, seen, face, code, again)},
			2, 0, 3, 1, "its details match an authoritative source; what was checked after it expired on 2026-06-01 counts for nothing",
		},
		{"in date, and as another piece when it had expired", []assurance.Piece{licence(data, seen, face, code), more}, 2, 0, 3, 1, "counts for nothing"},
		{"only when it had expired", []assurance.Piece{licence(again, at(expired, face))}, 0, 0, 0, 0, "it had expired on 2026-06-01 when it was checked"},
		{"in date, and what a source said when it had expired", []assurance.Piece{licence(data, seen, face, code, known)}, 2, 1, 3, 1, "counts for nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := assurance.Score(tt.record, expired)
			if err != nil {
				t.Fatalf("Score() = %v, want scores", err)
			}
			if got := s.Scores; got.Evidence[0].Validity != tt.validity || got.Fraud != tt.fraud || got.Verification != tt.verification {
				t.Errorf("Score() = %+v, want validity %d, fraud %d and verification %d", got, tt.validity, tt.fraud, tt.verification)
			}
			if got := reason(t, s, assurance.AboutValidity, "driving_permit").Because; !strings.HasSuffix(got, tt.because) {
				t.Errorf("because %q, want %q", got, tt.because)
			}
			if got, err := assurance.Proof(tt.record, expired); err != nil || got.Level != tt.ial {
				t.Errorf("Proof() = %+v, %v, want %d", got, err, tt.ial)
			}
		})
	}
}

func issued(p assurance.Piece, on string) assurance.Piece {
	p.IssuedOn = on
	return p
}

func expired(p assurance.Piece) assurance.Piece {
	p.ExpiresOn = "2026-01-01"
	return p
}
