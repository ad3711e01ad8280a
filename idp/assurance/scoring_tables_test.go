package assurance

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// Tables that could not be right are refused, with the row that is wrong.
func TestReadTables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		table, old, changed, want string
	}{
		{"", "", "", ""},
		{"kinds", "type,kind,expires,portrait", "kind,type,expires,portrait", "want the titles"},
		{"kinds", "document,passport,yes,yes", "paper,passport,yes,yes", `"paper" is not one of`},
		{"kinds", "document,passport,yes,yes", "document,passport,often,yes", `"often" is not one of`},
		{"methods", "vpip,document vouch", "vpip,document voucher", `"voucher" is not one of`},
		{"methods", "vpip,document", "vip,document", `"vip" is not one of`},
		{"facts", "refreshed_three_yearly,,the training", "refreshed_monthly,,the training", `refreshed_yearly: no fact is called "refreshed_monthly"`},
		{"facts", ",authoritative_source,the identity was not made up", ",source,the identity was not made up", `synthetic_identity_check: no fact is called "source"`},
		{"strength", "passport,,,1", "pasport,,,1", `no kind is called "pasport"`},
		{"strength", "passport,,,1", "passport,mars,,1", `no group of issuers is called "mars"`},
		{"strength", "passport,,,1", "passport,,gold_edge,1", `"gold_edge" is not one of`},
		{"strength", "passport,,,1", "passport,,,5", `"5" is not a number from 1 to 4`},
		{"validity", "1,physical", "one,physical", `"one" is not a number`},
		{"validity", "1,physical", "1,fysical", `no fact is called "fysical"`},
		{"activity", "none,6,1", "some,6,1", `"some" is not one of`},
		{"activity", "none,6,1", "none,0,1", `"0" is not a number from 1 to 1200`},
		{"fraud", "1,1,identity_theft_check", "4,1,identity_theft_check", `"4" is not a number from 1 to 3`},
		{"verification", "2,pvp,2", "2,pvp,5", `"5" is not a number from 0 to 4`},
		{"kbv", "1,no,low,2,4", "1,no,poor,2,4", `"poor" is not one of`},
		{"nist-evidence", "veterans_card,,,fair", "veterans_card,,,good", `"good" is not one of`},
		{"nist-levels", "1,fair,1", "1,fair,2", `"2" is not a number from 1 to 1`},
		{"nist-verification", "1,superior,token,", "0,superior,token,", `"0" is not a number from 1 to 3`},
		{"nist-validation", "document,visible", "document,invisible", `no fact is called "invisible"`},
		{"gpg44-quality", "totp,,digital_token,medium", "totp,,digital_token,fine", `"fine" is not one of`},
		{"gpg44-protection", "low,low,no", "lowest,low,no", `"lowest" is not one of`},
	} {
		t.Run(tt.table+" "+tt.changed, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			entries, err := fs.ReadDir(tableFiles, "tables")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				text, err := fs.ReadFile(tableFiles, "tables/"+e.Name())
				if err != nil {
					t.Fatal(err)
				}
				changed := string(text)
				if e.Name() == tt.table+".csv" {
					if changed = strings.Replace(changed, tt.old, tt.changed, 1); changed == string(text) {
						t.Fatalf("%s has no %q", e.Name(), tt.old)
					}
				}
				files["tables/"+e.Name()] = &fstest.MapFile{Data: []byte(changed)}
			}
			switch _, err := readTables(files); {
			case tt.want == "" && err != nil:
				t.Errorf("readTables() = %v, want the tables", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("readTables() = %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

// The rows of gpg44-protection.csv. No factor of today is of two high qualities, so that the last is reached by none.
func TestProtectionRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		best      []Quality
		monitored bool
		want      Protection
	}{
		{nil, true, NoProtection},
		{[]Quality{LowQuality}, true, LowProtection},
		{[]Quality{HighQuality}, true, LowProtection},
		{[]Quality{LowQuality, LowQuality}, true, LowProtection},
		{[]Quality{MediumQuality, LowQuality}, true, MediumProtection},
		{[]Quality{HighQuality, LowQuality}, true, MediumProtection},
		{[]Quality{MediumQuality, MediumQuality}, true, MediumProtection},
		{[]Quality{HighQuality, MediumQuality}, true, HighProtection},
		{[]Quality{HighQuality, HighQuality}, false, HighProtection},
		{[]Quality{HighQuality, HighQuality}, true, VeryHighProtection},
	} {
		if got := tables().protect(tt.best, tt.monitored); got != tt.want {
			t.Errorf("protection of %v, monitored %t = %s, want %s", tt.best, tt.monitored, got, tt.want)
		}
	}
}
