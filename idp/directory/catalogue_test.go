package directory

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCatalogueNames(t *testing.T) {
	t.Parallel()
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		find func(string) string
		code string
		want string
	}{
		{"JobRoleName", c.JobRoleName, "S8000:G8000:R8001", `"Clinical":"Clinical Provision":"Nurse Access Role"`},
		{"JobRoleName", c.JobRoleName, "S8001:G8002:R8008", `"Support":"Support":"Admin/Clinical Support Access Role"`},
		{"JobRoleName", c.JobRoleName, "S0080:G0450:R5080", `"Admin & Clerical":"Management - A & C":"Registration Authority Manager"`},
		{"JobRoleName", c.JobRoleName, "S9999:G9999:R9999", "S9999:G9999:R9999"},
		{"JobRoleShortName", c.JobRoleShortName, "S8000:G8000:R8001", "Nurse Access Role"},
		{"JobRoleShortName", c.JobRoleShortName, "S9999:G9999:R9999", "S9999:G9999:R9999"},
		{"ActivityName", c.ActivityName, "B0420", "Independent Prescribing"},
		{"ActivityName", c.ActivityName, "B9999", "B9999"},
		{"AreaOfWorkName", c.AreaOfWorkName, "P0010:Q0050:T0210", `"Medicine":"Respiratory Medicine":"Respiratory Medicine"`},
		{"AreaOfWorkName", c.AreaOfWorkName, "", ""},
		{"AreaOfWorkShortName", c.AreaOfWorkShortName, "P0020:Q0300:T0640", "Phlebotomy"},
	} {
		if got := test.find(test.code); got != test.want {
			t.Errorf("%s(%q) = %s, want %s", test.name, test.code, got, test.want)
		}
	}
}

// A group has one name, and a role is in one group, wherever they are mentioned.
func TestCatalogueGroupsAgree(t *testing.T) {
	t.Parallel()
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]string)
	for _, e := range append(c.JobRoles(), c.AreasOfWork()...) {
		codes, parts := strings.Split(e.Code, ":"), strings.Split(e.Name, `":"`)
		for i := range codes {
			group := strings.Join(codes[:i+1], ":")
			if name, seen := names[group]; seen && name != parts[i] {
				t.Errorf("%s is named %s and %s", group, name, parts[i])
			}
			names[group] = parts[i]
		}
	}
}

// The lines of all mistakes are told, and what is right is taken, with or without a byte order mark.
func TestParseCodes(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"as it is edited":         "# ours\ncode,name,note\nB0420,Prescribing,x\nB0401,View,\n",
		"as a spreadsheet has it": "\ufeffcode,name\r\nB0420,Prescribing\r\n\r\nB0401,View\r\n",
	} {
		kind, got, err := ParseCodes([]byte(content))
		want := []Entry{newEntry("B0401", []string{"View"}, false), newEntry("B0420", []string{"Prescribing"}, false)}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Entry{})); err != nil || kind != Activity || diff != "" {
			t.Errorf("ParseCodes(%s) = %s, %v, codes (-want +got):\n%s", name, kind, err, diff)
		}
	}
	var many strings.Builder
	for n := range mostCodes + 1 {
		fmt.Fprintf(&many, "B%04d,x\n", n%10000)
	}
	for name, test := range map[string]struct{ content, want string }{
		"nothing":                   {"", "it is empty"},
		"no code":                   {"code,name\n", "it has no codes"},
		"other titles":              {"code,activity\nB0420,A\n", "its titles are"},
		"a malformed code":          {"code,name,ours\n420,Prescribing,\n", "line 2: code \"420\": want the form"},
		"a code of another kind":    {"code,name\nS8000:G8000:R8001,Nurse\n", "line 2: code"},
		"a missing name":            {"code,name,ours\nB0420, ,\n", "line 2: name"},
		"a quote in a name":         {"code,name,ours\nB0420,\"In\"\"dependent\",\n", "line 2: name"},
		"a control in a name":       {"code,name\nB0420,\"a\tb\"\n", "line 2: name"},
		"a missing column":          {"code,name\nB0420\n", "line 2: it has 1 values, and there are 2 titles"},
		"a line of another length":  {"code,name\nB0401,A\nB0420,B,C\n", "line 3: it has 3 values"},
		"a code twice":              {"code,name\nB0420,A\n# again\nB0420,B\n", "line 4: B0420 is on line 2 already"},
		"all mistakes together":     {"code,name\nX,A\nB0420,A\nB0401,\n", "line 2: code \"X\": want the form ^B[0-9]{4}$\nline 4: name"},
		"what is no CSV":            {"code,name\nB0420,\"A\n", "quote"},
		"what is not in UTF-8":      {"code,name\nB0420,\xff\n", "not in UTF-8"},
		"more than a catalogue has": {"code,name\n" + many.String(), "already"},
		"a file that is too large":  {strings.Repeat("#", LargestCodes+1), "more than"},
	} {
		if _, _, err := ParseCodes([]byte(test.content)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("ParseCodes(%s) = %v, want an error with %q", name, err, test.want)
		}
	}
}

// Whatever is read back as it was taken, and nothing is taken that the database would not.
func FuzzParseCodes(f *testing.F) {
	f.Add([]byte("code,name\nB0420,Prescribing\n"))
	f.Add([]byte("\ufeff# x\ncode,staff_group,sub_group,role,ours\nS8000:G8000:R8001,Clinical,Provision,Nurse,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, entries, err := ParseCodes(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		if err := w.Write(kind.columns()); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !kind.form().MatchString(e.Code) || len(e.parts) != len(kind.columns())-1 {
				t.Errorf("ParseCodes(%q) took %+v", data, e)
			}
			if err := w.Write(append([]string{e.Code}, e.parts...)); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		again, same, err := ParseCodes(out.Bytes())
		if diff := cmp.Diff(entries, same, cmp.AllowUnexported(Entry{})); err != nil || again != kind || diff != "" {
			t.Errorf("ParseCodes(what it took) = %s, %v (-want +got):\n%s", again, err, diff)
		}
	})
}
