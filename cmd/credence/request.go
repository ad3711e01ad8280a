package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const listRequests = "`credence request list` shows requests"

func newRequestCommand(p *program) *cobra.Command {
	return newGroup("request", "Ask that people be given positions, and decide", `  credence request list --as 656005750104 --role 656005754108
  credence request approve 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108 --reason "Contract seen"`,
		newRequestAskCommand(p), newRequestListCommand(p),
		newRequestDecideCommand(p, "approve", "Approve a request that another officer made", position.Approve),
		newRequestDecideCommand(p, "refuse", "Refuse a request that another officer made", position.Refuse),
		newRequestWithdrawCommand(p), newRequestTakeCommand(p), newRequestGiveBackCommand(p), newRequestBulkCommand(p))
}

func newRequestAskCommand(p *program) *cobra.Command {
	var by deed.Acting
	asked := position.Asked{Kind: position.Assign}
	var when period
	var end, asJSON bool
	ask := &cobra.Command{
		Use:   "ask",
		Short: "Ask that a person be given a position, or lose it, and print the request's id",
		Long: `Ask that a person be given a position in the version that is in force, or lose it, and print the id of the
request. Another officer decides it; but a position that is assignable is given at once.`,
		Example: `  credence request ask --as 656005750104 --role 656005754108 --person 656005750113 --position 400000000001 --ends 2030-01-01 --reason "Starts on Monday"
  credence request ask --as 656005750104 --role 656005754108 --person 656005750113 --position 400000000001 --end --reason "She leaves"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if asked.StartsAt, asked.ExpiresAt, err = when.read(); err != nil {
				return err
			}
			if end {
				asked.Kind = position.End
			}
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listPeople, func(ctx context.Context, r *position.Registrar) error {
				answer, err := r.Ask(ctx, by, asked)
				if err != nil {
					return err
				}
				return printAnswer(cmd, answer, asJSON)
			})
		},
	}
	ask.Flags().BoolVar(&end, "end", false, "ask that she lose it")
	addPositionFlag(ask, &asked.Position)
	addReasonFlag(ask, &asked.Reason, "why, for whoever decides and for the record")
	addPersonFlag(ask, &asked.Person)
	when.addFlags(ask, "she gets or loses it", "when it is approved", "it")
	addOfficerFlags(ask, &by)
	addJSONFlag(ask, &asJSON)
	return ask
}

// printAnswer says what came of a request; its id goes to stdout alone, so that a script can take it.
func printAnswer(cmd *cobra.Command, a position.Answer, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			ID    string `json:"id"`
			State string `json:"state"`
			Role  string `json:"role"`
		}{a.Request.String(), a.State, a.Role})
	}
	switch {
	case a.Role != "":
		fmt.Fprintf(cmd.ErrOrStderr(), "Approved: it gave the role %s.\n", a.Role)
	case a.State == "open":
		fmt.Fprintf(cmd.ErrOrStderr(), "Open: another officer decides it.\n")
	default:
		fmt.Fprintf(cmd.ErrOrStderr(), "The request is %s.\n", a.State)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), a.Request)
	return err
}

func newRequestDecideCommand(p *program, name, short string, verdict position.Verdict) *cobra.Command {
	var by deed.Acting
	var reason, seen string
	var asJSON bool
	decide := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  credence request " + name + ` 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108 --reason "Contract seen"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "a request", listRequests)
			if err != nil {
				return err
			}
			return p.withRegistrar(cmd.Context(), listRequests, func(ctx context.Context, r *position.Registrar) error {
				answer, err := r.Decide(ctx, by, id, verdict, reason, seen)
				if unseen(err) {
					q, err := r.Store.Request(ctx, id)
					if err != nil {
						return fmt.Errorf("read request %s: %w", id, err)
					}
					return showBound(ctx, r.Store, q.PersonID)
				}
				if err != nil {
					return err
				}
				return printAnswer(cmd, answer, asJSON)
			})
		},
	}
	addReasonedFlags(decide, &by, &reason)
	if verdict == position.Approve {
		addSeenFlag(decide, &seen)
	}
	addJSONFlag(decide, &asJSON)
	return decide
}

// unseen says whether somebody was not made an officer because nobody has looked at what she signs in with.
func unseen(err error) bool {
	refusal, refused := errors.AsType[*deed.Refusal](err)
	return refused && refusal.Reason == position.BoundByOthers
}

// showBound says what others had to do with of what a person signs in with, and how to go on.
func showBound(ctx context.Context, s *store.Store, person string) error {
	bindings, err := s.Bindings(ctx, person)
	if err != nil {
		return fmt.Errorf("read who had to do with what person %s signs in with: %w", person, err)
	}
	return fmt.Errorf("%w\n--authenticators-seen %s approves it once you have seen all of these with her", &position.BoundError{PersonID: person, Bindings: bindings}, position.MarkOf(bindings))
}

func newRequestWithdrawCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason string
	var asJSON bool
	withdraw := &cobra.Command{
		Use:     "withdraw ID",
		Short:   "Take a request back that you made",
		Example: `  credence request withdraw 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108 --reason "She starts elsewhere"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "a request", listRequests)
			if err != nil {
				return err
			}
			return p.withRegistrar(cmd.Context(), listRequests, func(ctx context.Context, r *position.Registrar) error {
				if err := r.Withdraw(ctx, by, id, reason); err != nil {
					return err
				}
				return printAnswer(cmd, position.Answer{Request: id, State: "withdrawn"}, asJSON)
			})
		},
	}
	addReasonedFlags(withdraw, &by, &reason)
	addJSONFlag(withdraw, &asJSON)
	return withdraw
}

func newRequestTakeCommand(p *program) *cobra.Command {
	var by deed.Acting
	var from string
	take := &cobra.Command{
		Use:   "take ID",
		Short: "Look after an open request, so that others see that somebody does",
		Long: `Look after an open request, so that others see that somebody does. Whoever may decide it still can. Nobody takes what she
asked for or what is for her, nor what somebody else looks after unless --from says who that is.`,
		Example: `  credence request take 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108
  credence request take 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108 --from 656005750117`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.ownRequest(cmd, args[0], by.Person+" looks after it", func(ctx context.Context, r *position.Registrar, id uuid.UUID) error {
				err := r.Take(ctx, by, id, from)
				if refusal, refused := errors.AsType[*deed.Refusal](err); refused && refusal.Reason == position.OwnedSince {
					if owner := refusal.Changes[0].To; owner != "" {
						return fmt.Errorf("%w\n--from %s takes it from her", refusal, owner)
					}
					return fmt.Errorf("%w\nwithout --from you take it from nobody", refusal)
				}
				return err
			})
		},
	}
	take.Flags().StringVar(&from, "from", "", "user `id` of who looks after it")
	addOfficerFlags(take, &by)
	return take
}

func newRequestGiveBackCommand(p *program) *cobra.Command {
	var by deed.Acting
	giveBack := &cobra.Command{
		Use:     "give-back ID",
		Short:   "Look after a request no more",
		Example: "  credence request give-back 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.ownRequest(cmd, args[0], "nobody looks after it", func(ctx context.Context, r *position.Registrar, id uuid.UUID) error { return r.GiveBack(ctx, by, id) })
		},
	}
	addOfficerFlags(giveBack, &by)
	return giveBack
}

// ownRequest changes who looks after a request, and says who does.
func (p *program) ownRequest(cmd *cobra.Command, text, says string, own func(ctx context.Context, r *position.Registrar, id uuid.UUID) error) error {
	id, err := parseID(text, "a request", listRequests)
	if err != nil {
		return err
	}
	return p.withRegistrar(cmd.Context(), listRequests, func(ctx context.Context, r *position.Registrar) error {
		if err := own(ctx, r, id); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), "Request %s: %s.\n", id, says)
		return err
	})
}

func newRequestListCommand(p *program) *cobra.Command {
	type row struct {
		ID           string     `json:"id"`
		Kind         string     `json:"kind"`
		Organisation string     `json:"organisation"`
		Person       string     `json:"person"`
		PersonName   string     `json:"person_name"`
		Position     string     `json:"position"`
		PositionName string     `json:"position_name"`
		Version      int        `json:"version"`
		StartsAt     time.Time  `json:"starts_at"`
		ExpiresAt    *time.Time `json:"expires_at"`
		Reason       string     `json:"reason"`
		AskedBy      string     `json:"asked_by"`
		AskedByName  string     `json:"asked_by_name"`
		AskedAt      time.Time  `json:"asked_at"`
		LapsesAt     time.Time  `json:"lapses_at"`
		Owner        string     `json:"owner"` // "": nobody
		OwnerName    string     `json:"owner_name"`
	}
	var by deed.Acting
	var page paging
	var wanted position.Wanted
	list := &cobra.Command{
		Use:   "list",
		Short: "List the open requests of an officer's organisation and of those below it, oldest first",
		Example: `  credence request list --as 656005750104 --role 656005754108 --json
  credence request list --as 656005750104 --role 656005754108 --owner nobody --position 400000000001`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withRegistrar(cmd.Context(), listPeople+"; "+listPositions, func(ctx context.Context, r *position.Registrar) error {
				open, err := r.Queue(ctx, by, wanted, after, page.limit+1)
				if err != nil {
					return err
				}
				return listing[store.WaitingRequest]{
					name: "requests", titles: []string{"ID", "AGE", "KIND", "ORGANISATION", "PERSON", "NAME", "POSITION", "NAME", "ASKED BY", "OWNER"}, id: func(r store.WaitingRequest) string { return r.ID.String() },
					row: func(r store.WaitingRequest) any {
						return row{
							r.ID.String(), r.Kind, r.OrganisationCode, r.PersonID, r.PersonName, r.PositionID, r.PositionName, r.PositionVersion, r.StartsAt.UTC(), r.ExpiresAt,
							r.Reason, r.AskedBy, r.AskedByName, r.AskedAt.UTC(), r.LapsesAt.UTC(), r.OwnedBy, r.OwnedByName,
						}
					},
					cells: func(r store.WaitingRequest) []string {
						return []string{
							r.ID.String(), age(p.clock().Sub(r.AskedAt)), r.Kind, r.OrganisationCode, r.PersonID, r.PersonName, r.PositionID, r.PositionName, r.AskedByName,
							cmp.Or(r.OwnedByName, "-"),
						}
					},
				}.print(cmd, page, open)
			})
		},
	}
	flags := list.Flags()
	flags.StringVar(&wanted.Person, "person", "", "only those for the person with this user `id`")
	flags.StringVar(&wanted.Position, "position", "", "only those for the position with this `id`")
	flags.StringVar((*string)(&wanted.Owner), "owner", "", "only those that she looks after, or nobody: `mine or nobody`")
	addOfficerFlags(list, &by)
	page.addFlags(list)
	return list
}

// age is how long something has waited, in whole days, and below two in hours.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d/day))
}
