package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const listPositions = "`credence position list` shows positions"

// registrar keeps positions and requests.
func (p *program) registrar(ctx context.Context, s *store.Store) (*position.Registrar, error) {
	catalogue, err := readCatalogue(ctx, s)
	if err != nil {
		return nil, err
	}
	rules, err := authority.New()
	if err != nil {
		return nil, err
	}
	outbox, err := p.outbox(ctx, s)
	if err != nil {
		return nil, err
	}
	return &position.Registrar{Store: s, Rules: rules, Catalogue: catalogue, Messenger: outbox, Now: p.clock}, nil
}

// withRegistrar runs do with what keeps positions and requests. What is unknown is found in some lists.
func (p *program) withRegistrar(ctx context.Context, lists string, do func(ctx context.Context, r *position.Registrar) error) error {
	return p.withStore(ctx, func(ctx context.Context, s *store.Store) error {
		r, err := p.registrar(ctx, s)
		if err != nil {
			return err
		}
		err = do(ctx, r)
		err = hint(err, directory.ErrUnknownCode, "`credence catalogue list` shows those there are")
		return hint(err, directory.ErrUnknown, lists)
	})
}

func newPositionCommand(p *program) *cobra.Command {
	return newGroup("position", "Keep the positions that people are given", `  credence position list --organisation ZX100
  credence position show 400000000001`,
		newPositionAddCommand(p), newPositionReviseCommand(p), newPositionListCommand(p), newPositionShowCommand(p), newPositionApproveCommand(p), newPositionCloseCommand(p))
}

// positionFlags are the flags that say what a position is.
type positionFlags struct {
	draft position.Draft
	access
}

func (f *positionFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.draft.Name, "name", "", "what people call it, such as \"Ward nurse, nights\"")
	flags.StringVar(&f.draft.Notes, "notes", "", "whom it is for, and what it does not cover")
	flags.StringVar(&f.draft.JobRole, "job-role", "", "S:G:R `code` of the job role")
	flags.StringSliceVar(&f.draft.Includes, "include", nil, "`id` of a position whose activities, areas of work and workgroups it gives as well, repeatable")
	flags.BoolVar(&f.draft.Assignable, "assignable", false, "let sponsors give it without a second officer")
	f.addFlags(cmd)
}

// read is what the flags say. Those that were not given are as they were before.
func (f *positionFlags) read(cmd *cobra.Command, before position.Draft) (position.Draft, error) {
	d, given := f.draft, cmd.Flags().Changed
	d.Activities, d.AreasOfWork = f.activities, f.areasOfWork
	var err error
	if d.Workgroups, err = f.named(); err != nil {
		return d, err
	}
	keep := func(flag string, do func()) {
		if !given(flag) {
			do()
		}
	}
	keep("name", func() { d.Name = before.Name })
	keep("notes", func() { d.Notes = before.Notes })
	keep("job-role", func() { d.JobRole = before.JobRole })
	keep("activity", func() { d.Activities = before.Activities })
	keep("area-of-work", func() { d.AreasOfWork = before.AreasOfWork })
	keep("workgroup", func() { d.Workgroups = before.Workgroups })
	keep("include", func() { d.Includes = before.Includes })
	keep("assignable", func() { d.Assignable = before.Assignable })
	return d, nil
}

func newPositionAddCommand(p *program) *cobra.Command {
	var what positionFlags
	var by deed.Acting
	var organisation string
	var asJSON bool
	add := &cobra.Command{
		Use:   "add",
		Short: "Propose a position of an organisation and print its id",
		Long: "Propose a position of an organisation and print its id. It gives nobody anything until another officer has approved\n" +
			"it with credence position approve.",
		Example: `  credence position add --as 656005750104 --role 656005754108 --organisation ZX100 --name "Ward nurse" --job-role S8000:G8000:R8001 --activity B0360,B0401 --reason "New ward"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			draft, err := what.read(cmd, position.Draft{})
			if err != nil {
				return err
			}
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listOrganisations, func(ctx context.Context, r *position.Registrar) error {
				id, err := r.Propose(ctx, by, organisation, draft)
				if err != nil {
					return err
				}
				return printID(cmd, id, asJSON)
			})
		},
	}
	what.add(add)
	addReasonedFlags(add, &by, &what.draft.Reason)
	addOrganisationFlag(add, &organisation)
	require(add, "name", "job-role")
	addJSONFlag(add, &asJSON)
	return add
}

func newPositionReviseCommand(p *program) *cobra.Command {
	var what positionFlags
	var by deed.Acting
	var asJSON bool
	revise := &cobra.Command{
		Use:   "revise ID",
		Short: "Propose what a position is to be instead, and print the number of the version",
		Long: `Propose what a position is to be instead, and print the number of the version. What no flag changes
stays. It changes nothing until another officer has approved it; who holds the position then has what
it says, as far as the rules about duties let her.`,
		Example: `  credence position revise 400000000001 --as 656005750104 --role 656005754108 --activity B0360,B0401,B0420 --reason "They prescribe now"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listOrganisations, func(ctx context.Context, r *position.Registrar) error {
				before, err := findPosition(ctx, r.Store, args[0])
				if err != nil {
					return err
				}
				kept, err := position.DraftOf(ctx, r.Store, before.PositionVersion)
				if err != nil {
					return err
				}
				draft, err := what.read(cmd, kept)
				if err != nil {
					return err
				}
				version, err := r.Revise(ctx, by, args[0], before.Version, draft)
				if err != nil {
					return err
				}
				return printVersion(cmd, version, asJSON)
			})
		},
	}
	what.add(revise)
	addReasonedFlags(revise, &by, &what.draft.Reason)
	addJSONFlag(revise, &asJSON)
	return revise
}

func printVersion(cmd *cobra.Command, version int, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]int{"version": version})
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
	return err
}

func findPosition(ctx context.Context, s *store.Store, id string) (store.PositionRow, error) {
	row, err := s.Position(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return row, fmt.Errorf("no position has id %.40q: %s", id, listPositions)
	}
	if err != nil {
		return row, fmt.Errorf("read position %q: %w", id, err)
	}
	return row, nil
}

func newPositionApproveCommand(p *program) *cobra.Command {
	var by deed.Acting
	var version int
	var asJSON bool
	approve := &cobra.Command{
		Use:     "approve ID",
		Short:   "Approve what another officer proposed of a position",
		Long:    "Approve what another officer proposed of a position: what it is from then on, or that it is closed.",
		Example: `  credence position approve 400000000001 --version 2 --as 656005750104 --role 656005754108`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listOrganisations, func(ctx context.Context, r *position.Registrar) error {
				done, err := r.Approve(ctx, by, args[0], version)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Closed       bool `json:"closed"`
						ChangedRoles int  `json:"changed_roles"`
						LeftRoles    int  `json:"left_roles"`
					}{done.Closed, done.Changed, done.Left})
				}
				if done.Closed {
					err = say(cmd, "Position %s is closed. Roles that ended with it: %d.\n", args[0], done.Changed)
				} else {
					err = say(cmd, "Position %s is in force in version %d. Roles that changed with it: %d.\n", args[0], version, done.Changed)
				}
				if err == nil && done.Left > 0 {
					err = say(cmd, "The servers bring it to %d more within minutes.\n", done.Left)
				}
				return err
			})
		},
	}
	approve.Flags().IntVar(&version, "version", 0, "the `number` of the version that you looked at")
	require(approve, "version")
	addOfficerFlags(approve, &by)
	addJSONFlag(approve, &asJSON)
	return approve
}

func newPositionCloseCommand(p *program) *cobra.Command {
	var by deed.Acting
	var reason string
	var asJSON bool
	closing := &cobra.Command{
		Use:   "close ID",
		Short: "Propose that a position be closed, and print the number of the version that says so",
		Long: `Propose that a position be closed, print the number of the version that says so, and say how many would
lose it. Nobody does until another officer has approved it; credence position show lists them.`,
		Example: `  credence position close 400000000001 --as 656005750104 --role 656005754108 --reason "The ward is closed"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listOrganisations, func(ctx context.Context, r *position.Registrar) error {
				before, err := findPosition(ctx, r.Store, args[0])
				if err != nil {
					return err
				}
				version, err := r.Close(ctx, by, args[0], before.Version, reason)
				if err != nil {
					return err
				}
				holders, err := r.Store.CountHolders(ctx, args[:1], p.clock())
				if err != nil {
					return fmt.Errorf("count holders: %w", err)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]int{"version": version, "holders": holders})
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "When another officer has approved version %d, this many lose the position: %d. See: credence position show %s\n", version, holders, args[0])
				return printVersion(cmd, version, false)
			})
		},
	}
	addReasonedFlags(closing, &by, &reason)
	addJSONFlag(closing, &asJSON)
	return closing
}

// positionJSON is a version of a position.
type positionJSON struct {
	ID           string     `json:"id"`
	Organisation string     `json:"organisation,omitempty"`
	State        string     `json:"state,omitempty"`
	InForce      int        `json:"in_force,omitempty"`
	Version      int        `json:"version"`
	Closes       bool       `json:"closes"`
	Name         string     `json:"name"`
	Notes        string     `json:"notes"`
	JobRole      string     `json:"job_role"`
	AreasOfWork  []string   `json:"areas_of_work"`
	Activities   []string   `json:"activities"`
	Workgroups   []string   `json:"workgroups"`
	Includes     []string   `json:"includes"`
	Assignable   bool       `json:"assignable"`
	Reason       string     `json:"reason"`
	MadeBy       string     `json:"made_by"`
	MadeAt       time.Time  `json:"made_at"`
	ApprovedBy   *string    `json:"approved_by"`
	ApprovedAt   *time.Time `json:"approved_at"`
}

func versionAsJSON(v store.PositionVersion) positionJSON {
	return positionJSON{
		ID: v.PositionID, Version: v.Version, Closes: v.Closes, Name: v.Name, Notes: v.Notes, JobRole: v.JobRole, AreasOfWork: v.AreasOfWork, Activities: v.Activities,
		Workgroups: v.Workgroups, Includes: v.Includes, Assignable: v.Assignable, Reason: v.Reason, MadeBy: v.MadeBy, MadeAt: v.MadeAt.UTC(), ApprovedBy: v.ApprovedBy, ApprovedAt: v.ApprovedAt,
	}
}

func positionAsJSON(p store.PositionRow) positionJSON {
	out := versionAsJSON(p.PositionVersion)
	out.Organisation, out.State, out.InForce = p.OrganisationCode, string(position.StateOf(p)), p.InForce
	return out
}

func newPositionListCommand(p *program) *cobra.Command {
	var page paging
	var organisation string
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the positions of an organisation and of those below it, each as it is or is proposed to be",
		Example: "  credence position list --organisation ZX100 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if _, err := findPath(ctx, s, organisation); err != nil {
					return err
				}
				rows, err := s.Positions(ctx, organisation, "", store.Order{}, page.after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list positions: %w", err)
				}
				return listing[store.PositionRow]{
					name: "positions", titles: []string{"ID", "ORGANISATION", "NAME", "STATE", "IN FORCE", "NEWEST", "ASSIGNABLE"},
					id:  func(r store.PositionRow) string { return r.PositionID },
					row: func(r store.PositionRow) any { return positionAsJSON(r) },
					cells: func(r store.PositionRow) []string {
						return []string{
							r.PositionID, r.OrganisationCode, r.Name, string(position.StateOf(r)), orNone(r.InForce), strconv.Itoa(r.Version), yes(r.Assignable),
						}
					},
				}.print(cmd, page, rows)
			})
		},
	}
	addOrganisationFlag(list, &organisation)
	page.addFlags(list)
	return list
}

// orNone is a version, and "-" for none.
func orNone(version int) string {
	if version == 0 {
		return "-"
	}
	return strconv.Itoa(version)
}

// mostVersions is how many of its versions a position is shown with: the newest.
const mostVersions = 20

func newPositionShowCommand(p *program) *cobra.Command {
	type holder struct {
		Role     string     `json:"role"`
		Person   string     `json:"person"`
		Name     string     `json:"name"`
		Version  int        `json:"version"`
		StartsAt time.Time  `json:"starts_at"`
		EndsAt   *time.Time `json:"ends_at"`
	}
	var page paging
	show := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a position: its versions, newest first, and who holds it in which of them",
		Example: "  credence position show 400000000001",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				row, err := findPosition(ctx, s, args[0])
				if err != nil {
					return err
				}
				versions, err := s.PositionVersions(ctx, args[0], store.Order{By: store.ByTime, Descending: true}, 0, mostVersions)
				if err != nil {
					return fmt.Errorf("list versions of position %q: %w", args[0], err)
				}
				holders, err := s.Holders(ctx, []string{args[0]}, store.HolderFilter{}, store.Order{}, page.after, page.limit+1, p.clock())
				if err != nil {
					return fmt.Errorf("list holders of position %q: %w", args[0], err)
				}
				holders, next := cut(holders, page.limit, func(h store.HolderRow) string { return h.RoleID })
				if page.json {
					return printJSON(cmd.OutOrStdout(), struct {
						positionJSON

						Versions []positionJSON `json:"versions"`
						Holders  []holder       `json:"holders"`
						Next     string         `json:"next"`
					}{positionAsJSON(row), each(versions, versionAsJSON), each(holders, func(h store.HolderRow) holder {
						return holder{h.RoleID, h.PersonID, h.DisplayName, h.Version, h.StartsAt.UTC(), h.EndsAt}
					}), next})
				}
				if err := printVersions(cmd, row, versions); err != nil {
					return err
				}
				sayMore(cmd, next)
				return printTable(cmd.OutOrStdout(), []string{"ROLE", "PERSON", "NAME", "VERSION", "STARTS", "ENDS"}, each(holders, func(h store.HolderRow) []string {
					return []string{h.RoleID, h.PersonID, h.DisplayName, strconv.Itoa(h.Version), moment(&h.StartsAt), moment(h.EndsAt)}
				}))
			})
		},
	}
	page.addFlags(show)
	return show
}

func printVersions(cmd *cobra.Command, row store.PositionRow, versions []store.PositionVersion) error {
	if err := say(cmd, "Position %s of %s: %s\n\n", row.PositionID, row.OrganisationCode, position.StateOf(row)); err != nil {
		return err
	}
	titles := []string{"VERSION", "NAME", "JOB ROLE", "ACTIVITIES", "AREAS OF WORK", "INCLUDES", "ASSIGNABLE", "CLOSES", "MADE BY", "APPROVED BY"}
	err := printTable(cmd.OutOrStdout(), titles, each(versions, func(v store.PositionVersion) []string {
		return []string{
			strconv.Itoa(v.Version), v.Name, v.JobRole, strings.Join(v.Activities, ","), strings.Join(v.AreasOfWork, ","), strings.Join(v.Includes, ","), yes(v.Assignable), yes(v.Closes), v.MadeBy, orDash(v.ApprovedBy),
		}
	}))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout())
	return err
}
