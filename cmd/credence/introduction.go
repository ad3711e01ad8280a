package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const listIntroductions = "`credence introduction list` shows introductions"

func newIntroductionCommand(p *program) *cobra.Command {
	return newGroup("introduction", "Ask for positions for people who are not on record yet, and say who on record they are", `  credence introduction list --as 656005750104 --role 656005754108
  credence introduction take-up 01935c5e-7a70-7000-8000-000000000001 --person 656005750113 --as 656005750104 --role 656005754108`,
		newIntroductionAskCommand(p), newIntroductionListCommand(p), newIntroductionShowCommand(p), newIntroductionTakeUpCommand(p), newIntroductionDismissCommand(p))
}

func newIntroductionAskCommand(p *program) *cobra.Command {
	var by deed.Acting
	var who details
	var asked position.Introduced
	var when period
	var asJSON bool
	ask := &cobra.Command{
		Use:   "ask",
		Short: "Ask that somebody who is not on record yet be given a position, and print the introduction's id",
		Long: `Ask that somebody who is not on record yet be given a position, and print the introduction's id. Another officer
says who on record it is, and a third decides. The record has the reason, and not who the person is.`,
		Example: `  credence introduction ask --given-name Nic --family-name Nurse --date-of-birth 1990-05-14 --position 400000000001 --as 656005750104 --role 656005754108 --reason "Starts on Monday"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := who.readBorn(); err != nil {
				return err
			}
			asked.NewPerson = who.NewPerson
			if asked.StartsAt, asked.ExpiresAt, err = when.read(); err != nil {
				return err
			}
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listPeople+"; "+listOrganisations, func(ctx context.Context, r *position.Registrar) error {
				id, err := r.Introduce(ctx, by, asked)
				if err != nil {
					return err
				}
				return printID(cmd, id.String(), asJSON)
			})
		},
	}
	who.addFlags(ask)
	require(ask, "given-name", "family-name", "date-of-birth")
	addPositionFlag(ask, &asked.Position)
	when.addFlags(ask, "she gets it", "when it is approved", "it")
	addReasonedFlags(ask, &by, &asked.Reason)
	addJSONFlag(ask, &asJSON)
	return ask
}

// introductionJSON is somebody who is to be put on record.
type introductionJSON struct {
	ID           string     `json:"id"`
	State        string     `json:"state"`
	Title        string     `json:"title"`
	GivenName    string     `json:"given_name"`
	MiddleNames  string     `json:"middle_names"`
	FamilyName   string     `json:"family_name"`
	DateOfBirth  string     `json:"date_of_birth"`
	Email        string     `json:"email"`
	Organisation string     `json:"organisation"`
	Position     string     `json:"position"`
	PositionName string     `json:"position_name"`
	Version      int        `json:"version"`
	StartsAt     time.Time  `json:"starts_at"`
	EndsAt       *time.Time `json:"ends_at"`
	Reason       string     `json:"reason"`
	AskedBy      string     `json:"asked_by"`
	AskedByName  string     `json:"asked_by_name"`
	AskedAt      time.Time  `json:"asked_at"`
	LapsesAt     time.Time  `json:"lapses_at"`
	Person       *string    `json:"person"`
	Request      *uuid.UUID `json:"request"`
}

// introductionAsJSON says of one that nobody took up in time that it lapsed, also before a server has noted it.
func introductionAsJSON(i store.IntroductionRow, now time.Time) introductionJSON {
	state := i.State
	if state == "open" && !i.LapsesAt.After(now) {
		state = "lapsed"
	}
	return introductionJSON{
		i.ID.String(), state, i.Title, i.GivenName, i.MiddleNames, i.FamilyName, i.DateOfBirth.Format(time.DateOnly), i.Email, i.OrganisationCode, i.PositionID, i.PositionName,
		i.PositionVersion, i.StartsAt.UTC(), i.ExpiresAt, i.Reason, i.AskedBy, i.AskedByName, i.AskedAt.UTC(), i.LapsesAt.UTC(), i.PersonID, i.RequestID,
	}
}

func newIntroductionListCommand(p *program) *cobra.Command {
	var by deed.Acting
	var page paging
	var organisation string
	list := &cobra.Command{
		Use:     "list",
		Short:   "List who is to be put on record at an organisation and below it, oldest first",
		Example: "  credence introduction list --as 656005750104 --role 656005754108 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listOrganisations, func(ctx context.Context, f *office.Office, o office.Officer) error {
				id := func(i store.IntroductionRow) uuid.UUID { return i.ID }
				rows, err := gather(page.limit, after, id, func(after uuid.UUID) ([]store.IntroductionRow, bool, error) {
					return f.Introductions(ctx, o, cmp.Or(organisation, o.Organisation), store.Order{By: store.ByAsked}, after)
				})
				if err != nil {
					return err
				}
				return listing[store.IntroductionRow]{
					name: "introductions", titles: []string{"ID", "AGE", "ORGANISATION", "NAME", "BORN", "POSITION", "NAME", "ASKED BY"},
					row: func(i store.IntroductionRow) any { return introductionAsJSON(i, p.clock()) }, id: func(i store.IntroductionRow) string { return i.ID.String() },
					cells: func(i store.IntroductionRow) []string {
						return []string{
							i.ID.String(), age(p.clock().Sub(i.AskedAt)), i.OrganisationCode, i.GivenName + " " + i.FamilyName, i.DateOfBirth.Format(time.DateOnly),
							i.PositionID, i.PositionName, i.AskedByName,
						}
					},
				}.print(cmd, page, rows)
			})
		},
	}
	addWhereFlag(list, &organisation)
	addOfficerFlags(list, &by)
	page.addFlags(list)
	return list
}

func newIntroductionShowCommand(p *program) *cobra.Command {
	var by deed.Acting
	var asJSON bool
	show := &cobra.Command{
		Use:     "show ID",
		Short:   "Show who is to be put on record, and with which position",
		Example: "  credence introduction show 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withOffice(cmd.Context(), by, listIntroductions, func(ctx context.Context, f *office.Office, o office.Officer) error {
				found, err := f.Introduction(ctx, o, args[0])
				if err != nil {
					return err
				}
				i := introductionAsJSON(found.IntroductionRow, p.clock())
				if asJSON {
					return printJSON(cmd.OutOrStdout(), i)
				}
				name := strings.Join(strings.Fields(strings.Join([]string{i.Title, i.GivenName, i.MiddleNames, i.FamilyName}, " ")), " ")
				return printTable(cmd.OutOrStdout(), []string{"STATE", "NAME", "BORN", "EMAIL", "POSITION", "NAME", "STARTS", "ENDS", "ASKED BY", "REASON"}, [][]string{{
					i.State, name, i.DateOfBirth, cmp.Or(i.Email, "-"), i.Position, i.PositionName, moment(&i.StartsAt), moment(i.EndsAt), i.AskedByName, i.Reason,
				}})
			})
		},
	}
	addOfficerFlags(show, &by)
	addJSONFlag(show, &asJSON)
	return show
}

func newIntroductionTakeUpCommand(p *program) *cobra.Command {
	var by deed.Acting
	var person string
	var asJSON bool
	takeUp := &cobra.Command{
		Use:   "take-up ID",
		Short: "Say who on record it is that was introduced, and print the id of the request that it makes",
		Long: `Say who on record it is that was introduced, and print the id of the request that it makes, in the name of who asked.
A third officer decides it. Look for the person first; who is not on record is added with credence person add.`,
		Example: "  credence introduction take-up 01935c5e-7a70-7000-8000-000000000001 --person 656005750113 --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "an introduction", listIntroductions)
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listIntroductions+"; "+listPeople, func(ctx context.Context, f *office.Office, o office.Officer) error {
				request, err := f.Positions.TakeUp(ctx, o.Acting(), id, person)
				if err != nil {
					return err
				}
				return printAnswer(cmd, position.Answer{Request: request, State: "open"}, asJSON)
			})
		},
	}
	addPersonFlag(takeUp, &person)
	addOfficerFlags(takeUp, &by)
	addJSONFlag(takeUp, &asJSON)
	return takeUp
}

func newIntroductionDismissCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason string
	dismiss := &cobra.Command{
		Use:     "dismiss ID",
		Short:   "Refuse an introduction, or take back what you asked",
		Example: `  credence introduction dismiss 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108 --reason "Asked twice"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "an introduction", listIntroductions)
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listIntroductions, func(ctx context.Context, f *office.Office, o office.Officer) error {
				if err := f.Positions.Dismiss(ctx, o.Acting(), id, reason); err != nil {
					return err
				}
				return say(cmd, "Introduction %s has ended.\n", id)
			})
		},
	}
	addReasonedFlags(dismiss, &by, &reason)
	return dismiss
}
