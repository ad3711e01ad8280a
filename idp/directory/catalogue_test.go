package directory

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
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

func TestReadCatalogueRefuses(t *testing.T) {
	t.Parallel()
	whole := make(fstest.MapFS)
	for _, name := range []string{"catalogue/job_roles.csv", "catalogue/activities.csv", "catalogue/areas_of_work.csv"} {
		data, err := fs.ReadFile(catalogueFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		whole[name] = &fstest.MapFile{Data: data}
	}
	for name, test := range map[string]struct{ content, want string }{
		"a malformed code":         {"code,name,ours\n420,Prescribing,\n", "want a code like"},
		"a missing name":           {"code,name,ours\nB0420, ,\n", "want a code like"},
		"a quote in a name":        {"code,name,ours\nB0420,\"In\"\"dependent\",\n", "want a code like"},
		"a missing column":         {"code\nB0420\n", "want a code like"},
		"a code twice":             {"code,name\nB0420,A\nB0420,B\n", "B0420 is not in its place"},
		"codes out of order":       {"code,name\nB0420,A\nB0401,B\n", "B0401 is not in its place"},
		"a line of another length": {"code,name\nB0401,A\nB0420,B,C\n", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(whole)
			files["catalogue/activities.csv"] = &fstest.MapFile{Data: []byte(test.content)}
			if _, err := readCatalogue(files); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("readCatalogue(%q) = %v, want an error with %q", test.content, err, test.want)
			}
		})
	}
	t.Run("a missing file", func(t *testing.T) {
		t.Parallel()
		if _, err := readCatalogue(fstest.MapFS{}); err == nil {
			t.Error("readCatalogue(nothing) = nil, want an error")
		}
	})
}
