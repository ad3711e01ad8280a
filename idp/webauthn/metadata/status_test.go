package metadata_test

import (
	"testing"
	"time"

	"github.com/credence-id/credence/idp/webauthn/metadata"
)

func day(text string) time.Time {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return d
}

// Every status of FIDO Metadata Service v3.1, Section 3.1.4, alone.
func TestStatus(t *testing.T) {
	t.Parallel()
	type effect = metadata.Effect
	for status, want := range map[string]struct {
		taken     effect
		certified metadata.Certification
	}{
		"NOT_FIDO_CERTIFIED":           {effect{}, 0},
		"FIDO_CERTIFIED":               {effect{}, 0},
		"USER_VERIFICATION_BYPASS":     {effect{Unverified: true}, 0},
		"ATTESTATION_KEY_COMPROMISE":   {effect{Unattested: true}, 0},
		"USER_KEY_REMOTE_COMPROMISE":   {effect{Refused: true}, 0},
		"USER_KEY_PHYSICAL_COMPROMISE": {effect{Exportable: true}, 0},
		"UPDATE_AVAILABLE":             {effect{}, 0},
		"RETIRED":                      {effect{Retired: true}, 0},
		"REVOKED":                      {effect{Refused: true}, 0},
		"SELF_ASSERTION_SUBMITTED":     {effect{}, 0},
		"FIDO_CERTIFIED_L1":            {effect{}, 1},
		"FIDO_CERTIFIED_L1plus":        {effect{}, 2},
		"FIDO_CERTIFIED_L2":            {effect{}, 3},
		"FIDO_CERTIFIED_L2plus":        {effect{}, 4},
		"FIDO_CERTIFIED_L3":            {effect{}, 5},
		"FIDO_CERTIFIED_L3plus":        {effect{}, 6},
		"FIPS140_CERTIFIED_L1":         {effect{}, 0},
		"FIPS140_CERTIFIED_L2":         {effect{}, 0},
		"FIPS140_CERTIFIED_L3":         {effect{}, 0},
		"FIPS140_CERTIFIED_L4":         {effect{}, 0},
		"revoked":                      {effect{}, 0},
		"":                             {effect{}, 0},
	} {
		for name, report := range map[string]metadata.Report{"always": {Status: status}, "since": {Status: status, Since: day("2026-03-01")}} {
			m := metadata.Model{Reports: []metadata.Report{report}}
			taken, statuses, certified := m.At(day("2026-03-01"))
			if taken != want.taken || certified != want.certified || (len(statuses) == 1) == want.taken.None() {
				t.Errorf("%s, %s: At() = %+v, %q, %v, want %+v", status, name, taken, statuses, certified, want)
			}
			if taken, statuses, certified = m.At(day("2026-02-28")); name == "since" && (!taken.None() || statuses != nil || certified != 0) {
				t.Errorf("%s, before it: At() = %+v, %q, %v, want nothing", status, taken, statuses, certified)
			}
		}
	}
}

func TestReportsTogether(t *testing.T) {
	t.Parallel()
	type list []metadata.Report
	report := func(status, since string) metadata.Report {
		if since == "" {
			return metadata.Report{Status: status}
		}
		return metadata.Report{Status: status, Since: day(since)}
	}
	for _, tt := range []struct {
		name      string
		reports   list
		taken     metadata.Effect
		certified string // "" is none
	}{
		{"nothing is known", nil, metadata.Effect{}, ""},
		{"the highest certification counts", list{report("FIDO_CERTIFIED_L2", "2024-01-01"), report("FIDO_CERTIFIED_L1", "2025-01-01")}, metadata.Effect{}, "FIDO_CERTIFIED_L2"},
		{"one to come does not", list{report("FIDO_CERTIFIED_L1", "2024-01-01"), report("FIDO_CERTIFIED_L3", "2027-01-01")}, metadata.Effect{}, "FIDO_CERTIFIED_L1"},
		{"a certification that was lost does not", list{report("FIDO_CERTIFIED_L2", "2024-01-01"), report("NOT_FIDO_CERTIFIED", "2025-01-01")}, metadata.Effect{}, ""},
		{"one that was lost on the day does not", list{report("NOT_FIDO_CERTIFIED", "2025-01-01"), report("FIDO_CERTIFIED_L2", "2025-01-01")}, metadata.Effect{}, ""},
		{"one that was got since does", list{report("NOT_FIDO_CERTIFIED", "2024-01-01"), report("FIDO_CERTIFIED_L1", "2025-01-01")}, metadata.Effect{}, "FIDO_CERTIFIED_L1"},
		{"one that was lost, got and lost does not", list{
			report("NOT_FIDO_CERTIFIED", "2022-01-01"), report("FIDO_CERTIFIED_L1", "2023-01-01"), report("NOT_FIDO_CERTIFIED", "2024-01-01"),
		}, metadata.Effect{}, ""},
		{"a loss to come is not one", list{report("FIDO_CERTIFIED_L1", "2024-01-01"), report("NOT_FIDO_CERTIFIED", "2027-01-01")}, metadata.Effect{}, "FIDO_CERTIFIED_L1"},
		{"a certification without a date does not outlast a loss without one", list{report("FIDO_CERTIFIED_L1", ""), report("NOT_FIDO_CERTIFIED", "")}, metadata.Effect{}, ""},
		{"a retired model is not certified", list{report("FIDO_CERTIFIED_L3", "2024-01-01"), report("RETIRED", "2025-01-01")}, metadata.Effect{Retired: true}, ""},
		{"an update does not mend what was reported", list{
			report("USER_VERIFICATION_BYPASS", "2024-01-01"), report("UPDATE_AVAILABLE", "2024-02-01"), report("FIDO_CERTIFIED_L1", "2024-03-01"),
		}, metadata.Effect{Unverified: true}, "FIDO_CERTIFIED_L1"},
		{"several reports take several things", list{
			report("USER_VERIFICATION_BYPASS", ""), report("ATTESTATION_KEY_COMPROMISE", ""), report("USER_KEY_PHYSICAL_COMPROMISE", ""),
		}, metadata.Effect{Unverified: true, Unattested: true, Exportable: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			taken, _, certified := metadata.Model{Reports: tt.reports}.At(now)
			if taken != tt.taken || certified != metadata.ParseCertification(tt.certified) {
				t.Errorf("At() = %+v, %v, want %+v, %q", taken, certified, tt.taken, tt.certified)
			}
		})
	}
}

func TestProtectsKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		protection []string
		want       bool
	}{
		{nil, false},
		{[]string{"software"}, false},
		{[]string{"remote_handle"}, false},
		{[]string{"hardware"}, true},
		{[]string{"hardware", "tee"}, true},
		{[]string{"tee"}, true},
		{[]string{"hardware", "secure_element", "remote_handle"}, true},
		{[]string{"software", "hardware"}, false},
		{[]string{"something new"}, false},
	} {
		if got := (metadata.Model{KeyProtection: tt.protection}).ProtectsKeys(); got != tt.want {
			t.Errorf("ProtectsKeys(%q) = %t, want %t", tt.protection, got, tt.want)
		}
	}
}

func TestCertification(t *testing.T) {
	t.Parallel()
	for i, name := range metadata.Certifications() {
		if got := metadata.ParseCertification(name); int(got) != i+1 || got.String() != name {
			t.Errorf("ParseCertification(%q) = %d, %s, want %d", name, got, got, i+1)
		}
	}
	for _, name := range []string{"", "L1", "FIDO_CERTIFIED", "fido_certified_l1"} {
		if got := metadata.ParseCertification(name); got != 0 {
			t.Errorf("ParseCertification(%q) = %d, want 0", name, got)
		}
	}
}
