package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// withProfiles runs do with what keeps the profiles of people.
func (p *program) withProfiles(ctx context.Context, do func(ctx context.Context, r *lifecycle.Registrar) error) error {
	rules, err := authority.New()
	if err != nil {
		return err
	}
	key, err := p.sealKey()
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(ctx context.Context, s *store.Store) error {
		desk, err := p.recorder(ctx, s, key)
		if err != nil {
			return err
		}
		err = do(ctx, &lifecycle.Registrar{Store: s, Rules: rules, Evidence: desk, Messenger: desk.Messenger, Now: p.clock})
		return hint(err, directory.ErrUnknown, listPeople+"; "+listOrganisations)
	})
}

func newPersonCorrectCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason string
	var to details
	correct := &cobra.Command{
		Use:     "correct ID",
		Short:   "Correct who a person is said to be",
		Long:    "Correct who a person is said to be. What no flag names stays as it is.",
		Example: `  credence person correct 656005750113 --family-name Example --as 656005750104 --role 656005754108 --reason "She married"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := to.readBorn(); err != nil {
				return err
			}
			return p.withProfiles(cmd.Context(), func(ctx context.Context, r *lifecycle.Registrar) error {
				s, err := r.Look(ctx, by, authority.CorrectPerson, args[0], "")
				if err != nil {
					return err
				}
				c := lifecycle.Correction{Person: args[0], Details: overlay(cmd, s.Details, to.NewPerson), Reason: reason, Seen: s.Last, Sure: true, Shown: to.noneOf}
				done, err := r.Correct(ctx, by, c)
				if err != nil {
					return err
				}
				if done.Alike.People != nil {
					return tellAlike(cmd, done.Alike, false)
				}
				for _, change := range done.Changes {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %q was %q\n", change.Field, change.To, change.From)
				}
				if done.Unnamed {
					fmt.Fprintln(cmd.ErrOrStderr(), "Evidence was about other details, and counts no more: `credence evidence list "+args[0]+"` shows it.")
				}
				return nil
			})
		},
	}
	to.addRecordFlags(correct)
	addReasonedFlags(correct, &by, &reason)
	return correct
}

// overlay is who a person is said to be with what flags say instead.
func overlay(cmd *cobra.Command, d store.Details, to directory.NewPerson) store.Details {
	if d.DisplayName == d.GivenName+" "+d.FamilyName {
		d.DisplayName = "" // which follows the name
	}
	for flag, detail := range map[string]struct{ is, to *string }{
		"title": {&d.Title, &to.Title}, "given-name": {&d.GivenName, &to.GivenName}, "middle-names": {&d.MiddleNames, &to.MiddleNames},
		"family-name": {&d.FamilyName, &to.FamilyName}, "display-name": {&d.DisplayName, &to.DisplayName}, "email": {&d.Email, &to.Email},
	} {
		if cmd.Flags().Changed(flag) {
			*detail.is = *detail.to
		}
	}
	if to.DateOfBirth != nil {
		d.DateOfBirth = to.DateOfBirth
	}
	return d
}

func newPersonCloseCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason, as string
	closing := &cobra.Command{
		Use:     "close ID",
		Short:   "Close the profile of a person, with all that she has",
		Example: `  credence person close 656005750113 --because left --as 656005750104 --role 656005754108 --reason "She emigrates"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withProfiles(cmd.Context(), func(ctx context.Context, r *lifecycle.Registrar) error {
				if err := r.Close(ctx, by, args[0], lifecycle.ClosedAs(as), reason); err != nil {
					return err
				}
				return say(cmd, "The profile of person %s is closed.\n", args[0])
			})
		},
	}
	closing.Flags().StringVar(&as, "because", "", "`left`, deceased, duplicate, fraud or other")
	require(closing, "because")
	addReasonedFlags(closing, &by, &reason)
	return closing
}

func newPersonReopenCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason string
	reopen := &cobra.Command{
		Use:     "reopen ID",
		Short:   "Open a closed profile again, with nothing of what ended",
		Example: `  credence person reopen 656005750113 --as 656005750104 --role 656005754108 --reason "She is back"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withProfiles(cmd.Context(), func(ctx context.Context, r *lifecycle.Registrar) error {
				if err := r.Reopen(ctx, by, args[0], reason); err != nil {
					return err
				}
				return say(cmd, "The profile of person %s is open again.\n", args[0])
			})
		},
	}
	addReasonedFlags(reopen, &by, &reason)
	return reopen
}

func newPersonLeaveCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason, organisation, last string
	leave := &cobra.Command{
		Use:     "leave ID",
		Short:   "Record that a person leaves an organisation, at once or with the end of a day",
		Example: `  credence person leave 656005750113 --organisation ZX100 --last 2027-05-31 --as 656005750104 --role 656005754108 --reason "The contract ends"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at := p.clock()
			day, err := parseDay("--last", last, "2027-05-31")
			if err != nil {
				return err
			}
			if day != nil {
				at = day.AddDate(0, 0, 1)
			}
			return p.withProfiles(cmd.Context(), func(ctx context.Context, r *lifecycle.Registrar) error {
				if err := r.Leave(ctx, by, args[0], organisation, at, reason); err != nil {
					return err
				}
				return say(cmd, "Person %s leaves %s.\n", args[0], organisation)
			})
		},
	}
	leave.Flags().StringVar(&last, "last", "", "the last `day`, within a year (default at once)")
	addOrganisationFlag(leave, &organisation)
	addReasonedFlags(leave, &by, &reason)
	return leave
}

func newPersonMergeCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason, kept string
	merge := &cobra.Command{
		Use:     "merge DUPLICATE",
		Short:   "Propose that a profile be merged into another of the same person, and print the merge's id",
		Example: `  credence person merge 656005750113 --into 656005750114 --as 656005750104 --role 656005754108 --reason "The same photograph"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withProfiles(cmd.Context(), func(ctx context.Context, r *lifecycle.Registrar) error {
				id, err := r.ProposeMerge(ctx, by, args[0], kept, reason)
				if err != nil {
					return err
				}
				return printID(cmd, id.String(), false)
			})
		},
	}
	merge.Flags().StringVar(&kept, "into", "", "`id` of the person whose profile is kept")
	require(merge, "into")
	addReasonedFlags(merge, &by, &reason)
	return merge
}

func newPersonDecideMergeCommand(p *program, name, short string, verdict position.Verdict) *cobra.Command {
	var by deed.Acting
	var reason, seen string
	decide := &cobra.Command{
		Use:     name + " MERGE",
		Short:   short,
		Example: "  credence person " + name + ` 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108 --reason "The same photograph"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "a merge", "give it as `credence person merge` printed it")
			if err != nil {
				return err
			}
			return p.withProfiles(cmd.Context(), func(ctx context.Context, r *lifecycle.Registrar) error {
				err := r.DecideMerge(ctx, by, id, verdict, reason, seen)
				if unseen(err) {
					m, err := r.Merge(ctx, id)
					if err != nil {
						return err
					}
					return showBound(ctx, r.Store, m.Kept)
				}
				if err != nil {
					return err
				}
				return say(cmd, "The merge is %s.\n", verdict)
			})
		},
	}
	addReasonedFlags(decide, &by, &reason)
	if verdict == position.Approve {
		addSeenFlag(decide, &seen)
	}
	return decide
}
