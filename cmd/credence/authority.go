package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// explainedAuthority is what `credence authority explain` prints.
type explainedAuthority struct {
	Person       string               `json:"person"`
	Name         string               `json:"name"`
	Enabled      bool                 `json:"enabled"`
	Organisation string               `json:"organisation,omitempty"` // that was asked about
	Roles        []explainedOfficer   `json:"roles"`                  // current ones
	Conflicts    []authority.Conflict `json:"conflicts"`              // between what she holds
}

type explainedOfficer struct {
	ID           string            `json:"id"`
	JobRole      string            `json:"job_role"`
	JobRoleName  string            `json:"job_role_name"`
	Organisation string            `json:"organisation"`
	Actors       []authority.Actor `json:"actors"`
	Acts         []explainedAct    `json:"acts"`
}

type explainedAct struct {
	Act     authority.Act     `json:"act"`
	Grant   authority.Grant   `json:"grant"`
	Refusal authority.Refusal `json:"refusal"`
	Where   authority.Where   `json:"where"`
}

func newAuthorityCommand(p *program) *cobra.Command {
	return newGroup("authority", "Say which officer of the registration authority may do what", "  credence authority explain --person 656005750104",
		newAuthorityExplainCommand(p))
}

func newAuthorityExplainCommand(p *program) *cobra.Command {
	var person, organisation string
	var asJSON bool
	explain := &cobra.Command{
		Use:   "explain",
		Short: "Say which officer each role of a person makes her, and what she may do in it",
		Long: "Say which officer each current role of a person makes her, and what she may do in it, of whom and where: by the code that\n" +
			"decides at the desk. She acts in one role at a time. With --organisation it says what she may do there, or why not.",
		Example: `  credence authority explain --person 656005750104
  credence authority explain --person 656005750104 --organisation ZX100 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := authority.New()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				catalogue, err := readCatalogue(ctx, s)
				if err != nil {
					return err
				}
				standing, err := findPerson(ctx, s, person, p.clock())
				if err != nil {
					return err
				}
				var path []string
				if cmd.Flags().Changed("organisation") {
					if path, err = findPath(ctx, s, organisation); err != nil {
						return err
					}
				}
				x := explainAuthority(rules, catalogue, standing, path)
				if asJSON {
					return printJSON(cmd.OutOrStdout(), x)
				}
				return x.print(cmd.OutOrStdout())
			})
		},
	}
	explain.Flags().StringVar(&organisation, "organisation", "", "`code` of the organisation to say it of (default that of each role)")
	addPersonFlag(explain, &person)
	addJSONFlag(explain, &asJSON)
	return explain
}

// explainAuthority says what a person may do at the organisation with this path, or without one at that of each role.
func explainAuthority(rules *authority.Rules, catalogue *directory.Catalogue, standing store.Standing, path []string) explainedAuthority {
	person := standing.Person
	held := each(person.Roles, func(r store.Role) authority.Held { return authority.Held{JobRole: r.JobRole, Activities: r.Activities} })
	x := explainedAuthority{
		Person: person.ID, Name: person.DisplayName, Enabled: standing.PersonStands,
		Conflicts: append([]authority.Conflict{}, rules.Conflicts(held)...),
	}
	if len(path) > 0 {
		x.Organisation = path[0]
	}
	x.Roles = each(person.Roles, func(r store.Role) explainedOfficer {
		officer := authority.Officer{PersonID: person.ID, Role: r.ID, Organisation: r.OrganisationCode, Actors: rules.ActorsOf(r.JobRole, r.Activities)}
		subject := authority.Subject{Path: path}
		if len(path) == 0 {
			subject.Path = []string{r.OrganisationCode}
		}
		return explainedOfficer{
			ID: r.ID, JobRole: r.JobRole, JobRoleName: catalogue.JobRoleShortName(r.JobRole), Organisation: r.OrganisationCode, Actors: officer.Actors,
			Acts: each(authority.Acts(), func(a authority.Act) explainedAct {
				of := subject
				if len(path) == 0 && rules.Where(a) == authority.Below {
					of.Path = []string{"", r.OrganisationCode} // whichever it is
				}
				d := rules.May(officer, a, of)
				return explainedAct{a, d.Grant, d.Refusal, rules.Where(a)}
			}),
		}
	})
	return x
}

// print is the explanation for people.
func (x explainedAuthority) print(w io.Writer) error {
	lines := []string{fmt.Sprintf("Person %s (%s)", x.Person, strings.Map(shown, x.Name))}
	if !x.Enabled {
		lines = append(lines, "She is disabled: none of this holds until she is enabled.")
	}
	if len(x.Roles) == 0 {
		lines = append(lines, "She has no current role, so she is no officer.")
	}
	for _, c := range x.Conflicts {
		lines = append(lines, fmt.Sprintf("Nobody may hold %s and %s together, as she does: %s.", c.One, c.Other, c.Reason))
	}
	if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
		return err
	}
	for _, r := range x.Roles {
		if err := r.print(w, x.Organisation); err != nil {
			return err
		}
	}
	return nil
}

func (o explainedOfficer) print(w io.Writer, organisation string) error {
	makes := "no officer"
	if len(o.Actors) > 0 {
		makes = strings.Join(each(o.Actors, func(a authority.Actor) string { return string(a) }), ", ")
	}
	if _, err := fmt.Fprintf(w, "\nRole %s (%s at %s) makes her: %s\n", o.ID, o.JobRoleName, o.Organisation, makes); err != nil || len(o.Actors) == 0 {
		return err
	}
	title, last := "OF WHOM OR WHERE", func(a explainedAct) string { return a.reach(o.Organisation) }
	if organisation != "" {
		title, last = "WHY NOT AT "+organisation, func(a explainedAct) string { return string(a.Refusal) }
	}
	return printTable(w, []string{"ACT", "MAY", title}, each(o.Acts, func(a explainedAct) []string {
		may := string(a.Grant)
		if may == "" {
			may = "-"
		}
		return []string{string(a.Act), may, last(a)}
	}))
}

// reach is of whom or of what an officer of an organisation may do it, in words.
func (a explainedAct) reach(organisation string) string {
	switch {
	case a.Grant == authority.None:
		return string(a.Refusal)
	case a.Where == authority.Anywhere:
		return "anybody"
	case a.Where == authority.AtPerson:
		return "people of " + organisation + " and below, or of no organisation"
	case a.Where == authority.Below:
		return "below " + organisation
	default:
		return organisation + " and below"
	}
}
