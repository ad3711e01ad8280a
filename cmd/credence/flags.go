package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// require makes flags of a command required, and has its help say so.
func require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the command has no such flag
		}
		cmd.Flag(name).Usage += " (required)"
	}
}

func addJSONFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "json", false, "print one JSON object")
}

// addOfficerFlags gives a command the flags that name the officer for whom the operator acts. She may do what her role lets
// her, and no more.
func addOfficerFlags(cmd *cobra.Command, by *deed.Acting) {
	by.Operator = operator()
	cmd.Flags().StringVar(&by.Person, "as", "", "`id` of the officer for whom you act")
	cmd.Flags().StringVar(&by.Role, "role", "", "`id` of the role that she acts in")
	require(cmd, "as", "role")
}

// addReasonFlag gives a command the flag that says why.
func addReasonFlag(cmd *cobra.Command, reason *string, why string) {
	cmd.Flags().StringVar(reason, "reason", "", why)
	require(cmd, "reason")
}

// addReasonedFlags gives a command the flags that name the officer, and the one that says why.
func addReasonedFlags(cmd *cobra.Command, by *deed.Acting, reason *string) {
	addReasonFlag(cmd, reason, "why, for the record")
	addOfficerFlags(cmd, by)
}

// addSeenFlag gives a command the flag that says what was seen of whom it makes an officer.
func addSeenFlag(cmd *cobra.Command, seen *string) {
	cmd.Flags().StringVar(seen, "authenticators-seen", "", "make her an officer though others had to do with what she signs in with: the `mark` of what you were told of it; it is recorded who had")
}

func addDryRunFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "dry-run", false, "say what would be done, and do nothing")
}

func addPersonFlag(cmd *cobra.Command, person *string) {
	cmd.Flags().StringVar(person, "person", "", "`id` of the person")
	require(cmd, "person")
}

func addPositionFlag(cmd *cobra.Command, position *string) {
	cmd.Flags().StringVar(position, "position", "", "`id` of the position")
	require(cmd, "position")
}

func addOrganisationFlag(cmd *cobra.Command, organisation *string) {
	cmd.Flags().StringVar(organisation, "organisation", "", "`code` of the organisation")
	require(cmd, "organisation")
}

// parseID reads the UUID of what is named; fix says where a person finds it.
func parseID(text, what, fix string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, &usageError{fmt.Errorf("%.60q is not the id of %s: %s", text, what, fix)}
	}
	return id, nil
}

// readFile reads a file that a command names, as far as it may be long, and a byte more, so that one that is longer is refused.
func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// addWhereFlag gives a command the flag that names the organisation of a list, where it is not that of the officer's role.
func addWhereFlag(cmd *cobra.Command, organisation *string) {
	cmd.Flags().StringVar(organisation, "organisation", "", "`code` of the organisation, for it and those below it (default that of the role)")
}

// period is from when to when something holds.
type period struct{ starts, ends string }

// addFlags gives a command its flags. What starts, and when it does by default, is said in words.
func (p *period) addFlags(cmd *cobra.Command, starts, byDefault, ends string) {
	cmd.Flags().StringVar(&p.starts, "starts", "", "`when` "+starts+": a date, or a time like 2030-01-01T08:00:00Z (default "+byDefault+")")
	cmd.Flags().StringVar(&p.ends, "ends", "", "`when` "+ends+" ends (default never)")
}

// read is what the flags say: a time that was not given is the zero one, and none.
func (p *period) read() (starts time.Time, ends *time.Time, err error) {
	var startErr, endErr error
	if p.starts != "" {
		starts, startErr = parseMoment("--starts", p.starts)
	}
	if p.ends != "" {
		var end time.Time
		end, endErr = parseMoment("--ends", p.ends)
		ends = &end
	}
	return starts, ends, errors.Join(startErr, endErr)
}

// parseMoment reads a time, or a date as its first moment in UTC.
func parseMoment(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &usageError{fmt.Errorf("%s is %q: want a date like 2030-01-01, or a time like 2030-01-01T08:00:00Z", flag, text)}
}

// parseDay reads a date, such as the one in the example; "" is none.
func parseDay(flag, text, example string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none was given
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s is %q: want a date like %s", flag, text, example)}
	}
	return &day, nil
}

// access is what somebody may do as something, as flags say it.
type access struct {
	activities, areasOfWork, workgroups []string
}

func (a *access) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&a.activities, "activity", nil, "B `code` of an activity, repeatable")
	flags.StringSliceVar(&a.areasOfWork, "area-of-work", nil, "P:Q:T `code` of an area of work, repeatable")
	flags.StringArrayVar(&a.workgroups, "workgroup", nil, "`id=name` of a workgroup, repeatable; the name counts when the workgroup is new")
}

// named are the workgroups, each with its name.
func (a *access) named() (list []store.Workgroup, err error) {
	var mistakes []error
	for _, w := range a.workgroups {
		id, name, ok := strings.Cut(w, "=")
		if !ok {
			mistakes = append(mistakes, &usageError{fmt.Errorf("--workgroup is %q: want id=name, such as \"655694018104=Ward 4\"", w)})
		}
		list = append(list, store.Workgroup{ID: id, Name: name})
	}
	return list, errors.Join(mistakes...)
}

// details are who a person is said to be; and of one on record how she is called, and whom there she is not.
type details struct {
	directory.NewPerson

	born   string
	noneOf []string
}

func (d *details) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&d.Title, "title", "", "such as Dr")
	flags.StringVar(&d.GivenName, "given-name", "", "first name")
	flags.StringVar(&d.MiddleNames, "middle-names", "", "names between the two")
	flags.StringVar(&d.FamilyName, "family-name", "", "last name")
	flags.StringVar(&d.Email, "email", "", "e-mail `address`")
	flags.StringVar(&d.born, "date-of-birth", "", "a `date` like 1980-12-31")
}

// addRecordFlags gives a command those flags, and those for somebody who is on record, or will be.
func (d *details) addRecordFlags(cmd *cobra.Command) {
	d.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&d.DisplayName, "display-name", "", "name as pages show it (default the given and the family name)")
	flags.StringSliceVar(&d.noneOf, "none-of", nil, "`ids` of those whom you were told of, when the person is none of them")
}

// readBorn reads the date of birth.
func (d *details) readBorn() (err error) {
	d.DateOfBirth, err = parseDay("--date-of-birth", d.born, "1980-12-31")
	return err
}
