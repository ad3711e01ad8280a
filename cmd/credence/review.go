package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const listReviews = "`credence review list` shows reviews; " + listOrganisations

func newReviewCommand(p *program) *cobra.Command {
	return newGroup("review", "Look through who holds the positions of an organisation, and certify or remove it", `  credence review list --as 656005750104 --role 656005754108
  credence review certify 01935c5e-7a70-7000-8000-000000000001 656014107001 --as 656005750104 --role 656005754108`,
		newReviewOpenCommand(p), newReviewListCommand(p), newReviewShowCommand(p),
		newReviewDecideCommand(p, "certify", "Certify that roles of a review are still needed", position.Certified),
		newReviewDecideCommand(p, "remove", "Remove roles of a review, with all that their positions give", position.Removed),
		newReviewReportCommand(p))
}

func newReviewOpenCommand(p *program) *cobra.Command {
	var by deed.Acting
	var scope position.Scope
	var due string
	var asJSON bool
	open := &cobra.Command{
		Use:   "open",
		Short: "Begin a review of who holds the positions of an organisation now, and print its id",
		Long: `Begin a review of who holds the positions of an organisation now, and print its id. What nobody has decided when
it is due stays, unless --remove-undecided says otherwise; what makes officers always stays.`,
		Example: `  credence review open --organisation ZX100 --due 2027-05-31 --as 656005750104 --role 656005754108 --reason "Yearly review"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			day, err := parseDay("--due", due, "2027-05-31")
			if err != nil {
				return err
			}
			if day != nil {
				scope.DueAt = day.AddDate(0, 0, 1)
			}
			return p.withOffice(cmd.Context(), by, listOrganisations, func(ctx context.Context, f *office.Office, o office.Officer) error {
				if _, err := f.At(ctx, scope.Organisation); err != nil {
					return err
				}
				id, err := f.Positions.OpenReview(ctx, o.Acting(), scope)
				if err != nil {
					return err
				}
				return printID(cmd, id.String(), asJSON)
			})
		},
	}
	flags := open.Flags()
	flags.StringVar(&due, "due", "", "the last `day` to decide, within a year")
	flags.BoolVar(&scope.Below, "below", false, "review the organisations below it as well")
	flags.BoolVar(&scope.Removes, "remove-undecided", false, "remove what nobody has decided by then, but for what makes officers")
	require(open, "due")
	addOrganisationFlag(open, &scope.Organisation)
	addReasonedFlags(open, &by, &scope.Reason)
	addJSONFlag(open, &asJSON)
	return open
}

// reviewJSON is a review and how far it is.
type reviewJSON struct {
	ID           string    `json:"id"`
	Organisation string    `json:"organisation"`
	Below        bool      `json:"below"`
	Removes      bool      `json:"removes"`
	Reason       string    `json:"reason"`
	OpenedBy     string    `json:"opened_by"`
	OpenedAt     time.Time `json:"opened_at"`
	DueAt        time.Time `json:"due_at"`
	Items        int64     `json:"items"`
	Certified    int64     `json:"certified"`
	Removed      int64     `json:"removed"`
	Lapsed       int64     `json:"lapsed"`
	Undecided    int64     `json:"undecided"`
}

func reviewAsJSON(r store.ReviewRow) reviewJSON {
	return reviewJSON{
		r.ID.String(), r.OrganisationCode, r.Below, r.Removes, r.Reason, r.OpenedBy, r.OpenedAt.UTC(), r.DueAt.UTC(), r.Items, r.Certified, r.Removed, r.Lapsed, r.Undecided,
	}
}

func reviewTitles() []string {
	return []string{"ID", "ORGANISATION", "OPENED", "DUE", "OPENED BY", "ROLES", "CERTIFIED", "REMOVED", "UNDECIDED"}
}

func reviewCells(r store.ReviewRow) []string {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{
		r.ID.String(), r.OrganisationCode, moment(&r.OpenedAt), r.DueAt.Add(-time.Second).UTC().Format(time.DateOnly), r.OpenedByName, count(r.Items), count(r.Certified), count(r.Removed + r.Lapsed), count(r.Undecided),
	}
}

func newReviewListCommand(p *program) *cobra.Command {
	var by deed.Acting
	var page paging
	var organisation string
	var open bool
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the reviews of an organisation and of those below it, newest first",
		Example: "  credence review list --open --as 656005750104 --role 656005754108 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listOrganisations, func(ctx context.Context, f *office.Office, o office.Officer) error {
				id := func(r store.ReviewRow) uuid.UUID { return r.ID }
				rows, err := gather(page.limit, after, id, func(after uuid.UUID) ([]store.ReviewRow, bool, error) {
					return f.ListReviews(ctx, o, cmp.Or(organisation, o.Organisation), open, store.Order{By: store.ByOpened, Descending: true}, after)
				})
				if err != nil {
					return err
				}
				return listing[store.ReviewRow]{
					name: "reviews", titles: reviewTitles(), cells: reviewCells,
					row: func(r store.ReviewRow) any { return reviewAsJSON(r) }, id: func(r store.ReviewRow) string { return r.ID.String() },
				}.print(cmd, page, rows)
			})
		},
	}
	list.Flags().BoolVar(&open, "open", false, "list those alone in which something is left to decide")
	addWhereFlag(list, &organisation)
	addOfficerFlags(list, &by)
	page.addFlags(list)
	return list
}

func newReviewShowCommand(p *program) *cobra.Command {
	type item struct {
		Role         string     `json:"role"`
		Person       string     `json:"person"`
		Name         string     `json:"name"`
		Position     string     `json:"position"`
		PositionName string     `json:"position_name"`
		Organisation string     `json:"organisation"`
		StartsAt     time.Time  `json:"starts_at"`
		EndsAt       *time.Time `json:"ends_at"`
		GivenBy      string     `json:"given_by"`
		Outcome      *string    `json:"outcome"`
		DecidedBy    *string    `json:"decided_by"`
		DecidedAt    *time.Time `json:"decided_at"`
	}
	var by deed.Acting
	var page paging
	var undecided bool
	show := &cobra.Command{
		Use:     "show ID",
		Short:   "Show how far a review is, and what it is about, by role",
		Example: "  credence review show 01935c5e-7a70-7000-8000-000000000001 --undecided --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listReviews, func(ctx context.Context, f *office.Office, o office.Officer) error {
				review, err := f.Review(ctx, o, args[0])
				if err != nil {
					return err
				}
				role := func(i store.ReviewItem) string { return i.RoleID }
				items, err := gather(page.limit, page.after, role, func(after string) ([]store.ReviewItem, bool, error) {
					return f.ReviewItems(ctx, review.ID, undecided, store.Order{}, after)
				})
				if err != nil {
					return err
				}
				items, next := cut(items, page.limit, role)
				if page.json {
					return printJSON(cmd.OutOrStdout(), struct {
						reviewJSON

						List []item `json:"roles"`
						Next string `json:"next"`
					}{reviewAsJSON(review), each(items, func(i store.ReviewItem) item {
						return item{
							i.RoleID, i.PersonID, i.PersonName, i.PositionID, i.PositionName, i.OrganisationCode, i.StartsAt.UTC(), i.EndsAt, i.GivenBy, i.Outcome, i.DecidedBy, i.DecidedAt,
						}
					}), next})
				}
				if err := printTable(cmd.OutOrStdout(), reviewTitles(), [][]string{reviewCells(review)}); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout())
				sayMore(cmd, next)
				return printTable(cmd.OutOrStdout(), []string{"ROLE", "PERSON", "NAME", "POSITION", "NAME", "SINCE", "UNTIL", "OUTCOME"}, each(items, func(i store.ReviewItem) []string {
					return []string{
						i.RoleID, i.PersonID, i.PersonName, i.PositionID, i.PositionName, moment(&i.StartsAt), moment(i.EndsAt), cmp.Or(office.OutcomeWords(i, p.clock()), "-"),
					}
				}))
			})
		},
	}
	show.Flags().BoolVar(&undecided, "undecided", false, "list what is left to decide alone")
	addOfficerFlags(show, &by)
	page.addFlags(show)
	return show
}

func newReviewDecideCommand(p *program, name, short string, outcome position.Outcome) *cobra.Command {
	type left struct {
		Role   string `json:"role"`
		Reason string `json:"reason"`
		Detail string `json:"detail"`
	}
	var by deed.Acting
	var asJSON bool
	decide := &cobra.Command{
		Use:     name + " ID ROLE...",
		Short:   short,
		Long:    short + fmt.Sprintf(", up to %d of them. Each is decided by itself: what cannot be is told, and keeps nothing else from it.", office.PerPage),
		Example: "  credence review " + name + " 01935c5e-7a70-7000-8000-000000000001 656014107001 656014107002 --as 656005750104 --role 656005754108",
		Args:    cobra.RangeArgs(2, 1+office.PerPage),
		RunE: func(cmd *cobra.Command, args []string) error {
			roles := args[1:]
			if i := slices.IndexFunc(roles, func(role string) bool { return !directory.IsID(role) }); i >= 0 {
				return &usageError{fmt.Errorf("%.40q is not the id of a role: `credence review show` lists them", roles[i])}
			}
			if err := eachOnce("role", roles); err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listReviews, func(ctx context.Context, f *office.Office, o office.Officer) error {
				review, err := f.Review(ctx, o, args[0])
				if err != nil {
					return err
				}
				undecided, err := f.Positions.DecideReview(ctx, o.Acting(), review.ID, roles, outcome)
				if err != nil {
					return err
				}
				decided := slices.DeleteFunc(slices.Clone(roles), func(role string) bool {
					return slices.ContainsFunc(undecided, func(l position.Left) bool { return l.Role == role })
				})
				if asJSON {
					err = printJSON(cmd.OutOrStdout(), struct {
						Decided []string `json:"decided"`
						Left    []left   `json:"left"`
					}{decided, each(undecided, func(l position.Left) left { return left{l.Role, string(l.Refusal.Reason), l.Refusal.Sentence()} })})
				} else {
					for _, role := range decided {
						fmt.Fprintf(cmd.OutOrStdout(), "Role %s is %s.\n", role, outcome)
					}
					for _, l := range undecided {
						fmt.Fprintf(cmd.ErrOrStderr(), "Role %s: %s\n", l.Role, l.Refusal.Error())
					}
				}
				if err == nil && len(undecided) > 0 {
					err = fmt.Errorf("%d of %d were not decided", len(undecided), len(roles))
				}
				return err
			})
		},
	}
	addOfficerFlags(decide, &by)
	addJSONFlag(decide, &asJSON)
	return decide
}

func newReviewReportCommand(p *program) *cobra.Command {
	var by deed.Acting
	report := &cobra.Command{
		Use:     "report ID",
		Short:   "Print all that a review is about as CSV, which is on record",
		Example: "  credence review report 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withOffice(cmd.Context(), by, listReviews, func(ctx context.Context, f *office.Office, o office.Officer) error {
				_, rows, err := f.ReviewReport(ctx, o, args[0])
				if err != nil {
					return err
				}
				return office.WriteSheet(cmd.OutOrStdout(), rows)
			})
		},
	}
	addOfficerFlags(report, &by)
	return report
}
