package assurance

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// A table that lost or gained a cell stops the program at its start.
func TestReadPolicyRefusesCorruption(t *testing.T) {
	t.Parallel()
	read := func(t *testing.T, name, from, to string) error {
		t.Helper()
		files := fstest.MapFS{}
		for _, table := range []string{"gpg45-profiles.csv", "gpg45-words.csv"} {
			text, err := fs.ReadFile(gpg45Files, table)
			if err != nil {
				t.Fatal(err)
			}
			if table == name {
				if !strings.Contains(string(text), from) {
					t.Fatalf("%s has no %q", name, from)
				}
				text = []byte(strings.Replace(string(text), from, to, 1))
			}
			files[table] = &fstest.MapFile{Data: text}
		}
		_, err := readPolicy(files)
		return err
	}
	if err := read(t, "", "", ""); err != nil {
		t.Errorf("readPolicy(what the program carries) = %v, want a policy", err)
	}
	if _, err := readPolicy(fstest.MapFS{}); err == nil {
		t.Error("readPolicy(nothing) succeeds, want an error")
	}
	const profiles, words = "gpg45-profiles.csv", "gpg45-words.csv"
	for _, tt := range []struct{ table, from, to, want string }{
		{profiles, "profile,level", "name,level", "want the titles"},
		{profiles, "H1A,high,4/3,0,1,3", "H1A,high,4/3,0,1", "wrong number of fields"},
		{profiles, "H1A,high", "H1C,high", "stands twice"},
		{profiles, "H1A,high", ",high", "want a name"},
		{profiles, "H1A,high", "H1A,highest", "want a name and a level"},
		{profiles, "H1A,high", "H1A,none", "want a name and a level"},
		{profiles, "H1A,high", "H1A,low", "not in its place"},
		{profiles, "4/3,0,1,3", "5/3,0,1,3", "strength is 5"},
		{profiles, "4/3,0,1,3", "4,0,1,3", "invalid syntax"},
		{profiles, "4/3,0,1,3", "4/3/3,0,1,3", "invalid syntax"},
		{profiles, "4/3,0,1,3", ",0,1,3", "invalid syntax"},
		{profiles, "4/3,0,1,3", "4/3;4/3;4/3;4/3,0,1,3", "at most 3 pieces"},
		{profiles, "4/3,0,1,3", "4/3,x,1,3", "invalid syntax"},
		{profiles, "4/3,0,1,3", "4/3,0,4,3", "fraud is 4"},
		{profiles, "4/3,0,1,3", "4/3,0,1,1", "profile H1A is met without the level below"},
		{profiles, "4/2,0,1,2", "4/4,0,1,4", "grants what"},
		{words, "fraud,3,", "fraud,4,", "want words for each score"},
		{words, "fraud,3,", "fraud,2,", "want words for each score"},
		{words, "fraud,3,", "fruad,3,", "want words for each score"},
		{words, "fraud,3,", "fraud,x,", "invalid syntax"},
		{words, "validity,1,", "#validity,1,", "a score of validity has no words"},
	} {
		if err := read(t, tt.table, tt.from, tt.to); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("readPolicy with %q for %q = %v, want %q", tt.to, tt.from, err, tt.want)
		}
	}
	for _, level := range []string{"medium", "very_high"} { // a level without profiles
		var kept []string
		text, _ := fs.ReadFile(gpg45Files, profiles)
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, ","+level+",") {
				kept = append(kept, line)
			}
		}
		if err := read(t, profiles, string(text), strings.Join(kept, "")); err == nil {
			t.Errorf("readPolicy without %s succeeds, want an error", level)
		}
	}
}
