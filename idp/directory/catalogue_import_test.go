package directory_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store/storetest"
)

// files reads what is to be imported.
func files(t *testing.T, contents ...string) map[directory.CodeKind][]directory.Entry {
	t.Helper()
	list := make(map[directory.CodeKind][]directory.Entry)
	for _, content := range contents {
		kind, entries, err := directory.ParseCodes([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		list[kind] = entries
	}
	return list
}

// What is imported takes the place of what was there: what is not in it is retired, so that nobody is given it and it keeps its
// name, and comes back with a later import.
func TestImportCodes(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	addOrganisation(t, s, "ZX100")
	replica := catalogue(t) // that another process has in memory
	carried := len(replica.Activities())
	imported := func(look bool, contents ...string) []directory.CodeChange {
		t.Helper()
		changes, err := directory.ImportCodes(ctx, s, files(t, contents...), operator, now, look)
		if err != nil {
			t.Fatal(err)
		}
		if err := replica.Load(ctx, s); err != nil {
			t.Fatal(err)
		}
		return changes
	}
	const view, prescribe = "B0401,View it\n", "B0420,Prescribe\n"
	looked := imported(true, "code,name\n"+view+"B9990,Ours\n")
	if len(replica.Activities()) != carried || len(events(t, s)) != 1 {
		t.Errorf("after a look: %d activities and the record %v, want %d and nothing", len(replica.Activities()), events(t, s), carried)
	}
	done := imported(false, "code,name\n"+view+"B9990,Ours\n")
	if diff := cmp.Diff(looked, done); diff != "" {
		t.Errorf("ImportCodes differs from what was looked at (-want +got):\n%s", diff)
	}
	if n := len(done); n != carried+1 { // each was retired but the one that was renamed, and another was added
		t.Errorf("ImportCodes changed %d, want %d", n, carried+1)
	}
	var got []string
	for _, e := range replica.Activities() {
		got = append(got, e.Code+" "+e.Name)
	}
	if diff := cmp.Diff([]string{"B0401 View it", "B9990 Ours"}, got); diff != "" {
		t.Errorf("Activities() (-want +got):\n%s", diff)
	}
	if name := replica.ActivityName("B0420"); name != "Independent Prescribing" {
		t.Errorf("ActivityName(retired) = %q, want what it was called", name)
	}
	if n := len(replica.JobRoles()); n != len(catalogue(t).JobRoles()) {
		t.Errorf("job roles after an import of activities = %d, want them all", n)
	}
	role := directory.NewRole{PersonID: addPerson(t, s), Organisation: "ZX100", JobRole: "S8000:G8000:R8001", Activities: []string{"B0420"}}
	if _, err := directory.GrantRole(ctx, s, replica, role, operator, now); !errors.Is(err, directory.ErrRetiredCode) || !errors.Is(err, directory.ErrUnknownCode) {
		t.Errorf("GrantRole(of a retired activity) = %v, want %v", err, directory.ErrRetiredCode)
	}

	want := []directory.CodeChange{
		{Kind: directory.Activity, Code: "B0420", Change: "restored", Name: "Prescribe"},
		{Kind: directory.Activity, Code: "B9990", Change: "retired", Name: "Ours"},
	}
	if diff := cmp.Diff(want, imported(false, "code,name\n"+view+prescribe)); diff != "" {
		t.Errorf("ImportCodes(again) (-want +got):\n%s", diff)
	}
	if _, err := directory.GrantRole(ctx, s, replica, role, operator, now); err != nil {
		t.Errorf("GrantRole(of a restored activity) = %v, want it granted", err)
	}
	if diff := cmp.Diff([]directory.CodeChange{{Kind: directory.Activity, Code: "B0420", Change: "renamed", Name: "To prescribe", Before: "Prescribe"}},
		imported(false, "code,name\n"+view+"B0420,To prescribe\n")); diff != "" {
		t.Errorf("ImportCodes(another name) (-want +got):\n%s", diff)
	}
	if changes := imported(false, "code,name\n"+view+"B0420,To prescribe\n"); changes != nil {
		t.Errorf("ImportCodes(the same) = %v, want nothing", changes)
	}
	roles := imported(false, "code,staff_group,sub_group,role\nS8000:G8000:R8001,Clinical,Wards,Nurse\n", "code,speciality,sub_speciality,area\nP0001:Q0001:T0001,A,B,C\n")
	if roles[len(roles)-1].Kind != directory.AreaOfWork || replica.JobRoleShortName("S8000:G8000:R8001") != "Nurse" {
		t.Errorf("ImportCodes(of two kinds) = %v, the nurse is called %q", roles, replica.JobRoleShortName("S8000:G8000:R8001"))
	}
	list, err := s.AuditEvents(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var details []map[string]string
	for _, e := range list {
		if e.Event == "catalogue_imported" {
			details = append(details, e.Detail)
		}
	}
	if len(details) != 4 || details[1]["restored"] != "1" || details[1]["retired"] != "1" {
		t.Errorf("the record of the imports = %v, want four, with how much each changed", details)
	}
}

// Imports at once are done one after another, and leave one of them.
func TestImportCodesAtOnce(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	errs := make(chan error)
	for _, content := range []string{"code,name\nB0001,One\nB0002,Two\n", "code,name\nB0003,Three\nB0004,Four\n"} {
		go func() {
			_, err := directory.ImportCodes(ctx, s, files(t, content), operator, now, false)
			errs <- err
		}()
	}
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Fatal(err)
	}
	c := catalogue(t)
	if err := c.Load(ctx, s); err != nil {
		t.Fatal(err)
	}
	if list := c.Activities(); len(list) != 2 || list[0].Code != "B0001" && list[0].Code != "B0003" {
		t.Errorf("Activities() after two imports = %v, want those of one", list)
	}
	if _, err := s.CatalogueCodes(ctx); err != nil {
		t.Fatal(err)
	}
}
