package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

func newPersonAddCommand(p *program) *cobra.Command {
	var person details
	var asserted string
	var registrations []string
	var asJSON bool
	add := &cobra.Command{
		Use:   "add",
		Short: "Add a person whom nobody on record is, and print the id",
		Long: `Add a person whom nobody on record is, and print the id. Who on record may be the same person is listed, and
nobody is added, until --none-of names each of them: look at them first. Who was shown is kept on record.`,
		Example: `  credence person add --given-name Ada --family-name Example --email ada@example.org --date-of-birth 1980-12-31
  credence person add --title Dr --given-name Sam --family-name Sample --date-of-birth 1979-02-01 --registration gmc=7654321
  credence person add --given-name Sam --family-name Sample --date-of-birth 1984-06-30 --none-of 656005750113,656005750114`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var mistakes []error
			if cmd.Flags().Changed("identity-level") {
				mistakes = append(mistakes, &usageError{errors.New("--identity-level: a level follows from what proves it: add the person without, then `credence evidence add`")})
			}
			if err := person.readBorn(); err != nil {
				mistakes = append(mistakes, err)
			}
			for _, r := range registrations {
				body, number, ok := strings.Cut(r, "=")
				if !ok {
					mistakes = append(mistakes, &usageError{fmt.Errorf("--registration is %q: want body=number, such as gmc=7654321", r)})
					continue
				}
				person.Registrations = append(person.Registrations, store.Registration{Body: body, Number: number})
			}
			if err := errors.Join(append(mistakes, person.Check(p.clock()))...); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				n := directory.Newcomer{NewPerson: person.NewPerson, Sure: true, Shown: person.noneOf}
				id, alike, err := directory.AddNewcomer(ctx, s, n, audit.Entry{At: p.clock(), Actor: operator()})
				if err != nil {
					return hint(err, directory.ErrTaken, "choose another id, or leave --id out")
				}
				if id == "" {
					return tellAlike(cmd, alike, asJSON)
				}
				return printID(cmd, id, asJSON)
			})
		},
	}
	flags := add.Flags()
	flags.StringVar(&person.ID, "id", "", "12 `digits` (default drawn at random)")
	person.addRecordFlags(add)
	flags.StringArrayVar(&registrations, "registration", nil, "`body=number` of a professional body, repeatable: "+strings.Join(directory.ProfessionalBodies(), ", "))
	flags.StringVar(&asserted, "identity-level", "", "")
	if err := flags.MarkHidden("identity-level"); err != nil { // it is there to be refused with the fix
		panic(err) // there is no such flag
	}
	require(add, "given-name", "family-name", "date-of-birth")
	addJSONFlag(add, &asJSON)
	return add
}

// tellAlike lists who on record may be the same person, with what is alike, and is the error that says how to go on.
func tellAlike(cmd *cobra.Command, alike directory.Alike, asJSON bool) error {
	type row struct {
		ID            string   `json:"id"`
		DisplayName   string   `json:"display_name"`
		IdentityLevel string   `json:"identity_level"`
		Organisations []string `json:"organisations"`
		Alike         []string `json:"alike"`
	}
	rows := each(alike.People, func(c directory.Candidate) row {
		return row{c.ID, c.DisplayName, c.IdentityLevel, append([]string{}, c.Organisations...), whatIsAlike(c)}
	})
	var err error
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), struct {
			Candidates []row `json:"candidates"`
			More       bool  `json:"more"`
		}{rows, alike.More})
	} else {
		err = printTable(cmd.ErrOrStderr(), []string{"ID", "NAME", "IDENTITY", "ORGANISATIONS", "ALIKE"}, each(rows, func(r row) []string {
			return []string{r.ID, r.DisplayName, r.IdentityLevel, cmp.Or(strings.Join(r.Organisations, ", "), "-"), strings.Join(r.Alike, ", ")}
		}))
	}
	if err != nil {
		return err
	}
	more := ""
	if alike.More {
		more = "there are more, who are less like her; "
	}
	ids := strings.Join(each(rows, func(r row) string { return r.ID }), ",")
	return fmt.Errorf("somebody on record may be the same person, so nothing was done: %slook at each, and when it is none of them, add --none-of %s", more, ids)
}

// whatIsAlike says why somebody on record may be the same person.
func whatIsAlike(c directory.Candidate) []string {
	why := []string{}
	for _, part := range []struct {
		holds bool
		words string
	}{{c.LikeName, "a similar name"}, {c.SameBirth, "born on the same day"}, {c.SameEmail, "the same e-mail address"}} {
		if part.holds {
			why = append(why, part.words)
		}
	}
	return why
}
