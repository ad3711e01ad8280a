package authority

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadRulesRefuses(t *testing.T) {
	t.Parallel()
	whole := make(fstest.MapFS)
	for _, name := range []string{"officers.csv", "rights.csv", "separation.csv"} {
		data, err := fs.ReadFile(tables, name)
		if err != nil {
			t.Fatal(err)
		}
		whole[name] = &fstest.MapFile{Data: data}
	}
	if _, err := readRules(whole); err != nil {
		t.Fatalf("readRules(as carried) = %v, want none", err)
	}
	for name, test := range map[string]struct{ file, old, replacement, want string }{
		"other titles":                {"officers.csv", "code,actor", "code,officer", "want the titles"},
		"a line of another length":    {"officers.csv", "R5080,ra_manager,published", "R5080,ra_manager", "wrong number of fields"},
		"no code":                     {"officers.csv", "R5080,", "S0080:G0450:R5080,", "want R or B and four digits"},
		"a code twice":                {"officers.csv", "R5090,ra_agent", "R5080,ra_agent", "code R5080 is there twice"},
		"an unknown officer":          {"officers.csv", "R5080,ra_manager", "R5080,ra_boss", `"ra_boss" is not one of`},
		"an unknown source":           {"officers.csv", "R5080,ra_manager,published", "R5080,ra_manager,heard", `"heard" is not one of`},
		"columns in another order":    {"rights.csv", "id_checker,sponsor", "sponsor,id_checker", "want the titles"},
		"an unknown act":              {"rights.csv", "\nfind_person", "\nfind_anybody", `"find_anybody" is not in its place`},
		"an act that is missing":      {"rights.csv", "read_audit,organisation,yes,-,-,-,-,-,-,full,-,-,ours\n", "", `the acts ["read_audit"] are missing`},
		"an act in its place, twice":  {"rights.csv", "\nreopen_person", "\nclose_person", `"close_person" is not in its place`},
		"an act too many":             {"rights.csv", "full,ours\n", "full,ours\nread_audit,organisation,yes,-,-,-,-,-,-,full,-,-,ours\n", `"read_audit" is not in its place`},
		"an unknown grant":            {"rights.csv", "-,assignable", "-,maybe", `"maybe" is not one of`},
		"a cell that is empty":        {"rights.csv", "-,assignable", "-,", `"" is not one of`},
		"an unknown reach":            {"rights.csv", "find_person,anywhere", "find_person,everywhere", `"everywhere" is not one of`},
		"neither yes nor no":          {"rights.csv", "find_person,anywhere,yes", "find_person,anywhere,true", `"true" is not one of`},
		"a right from nowhere":        {"rights.csv", "full,ours\n", "full,\n", `"" is not one of`},
		"a pair of a code and itself": {"separation.csv", "R0001,R5080", "R0001,R0001", "R0001 is paired with itself"},
		"a pair without its reason":   {"separation.csv", "R0001,R5080,who reads the record of what officers did would read her own as registration authority manager", "R0001,R5080, ", "want a reason"},
		"a pair of no codes":          {"separation.csv", "R0001,R5080", "R0001,manager", "want R or B and four digits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(whole)
			before := string(whole[test.file].Data)
			after := strings.Replace(before, test.old, test.replacement, 1)
			if after == before {
				t.Fatalf("%s has no %q", test.file, test.old)
			}
			files[test.file] = &fstest.MapFile{Data: []byte(after)}
			if _, err := readRules(files); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.file) {
				t.Errorf("readRules(%s with %q) = %v, want an error about %s with %q", test.file, test.replacement, err, test.file, test.want)
			}
		})
	}
	t.Run("a file that is missing", func(t *testing.T) {
		t.Parallel()
		files := maps.Clone(whole)
		delete(files, "rights.csv")
		if _, err := readRules(files); err == nil {
			t.Error("readRules(without rights.csv) = nil, want an error")
		}
	})
}
