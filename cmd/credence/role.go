package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const listRoles = "`credence role list` shows roles"

func newRoleCommand(p *program) *cobra.Command {
	return newGroup("role", "Grant roles to people and end them", `  credence role list --person 656005750104
  credence role grant --person 656005750113 --organisation ZX100 --job-role S8000:G8000:R8000`,
		newRoleGrantCommand(p), newRoleEndCommand(p), newRoleListCommand(p))
}

func newRoleGrantCommand(p *program) *cobra.Command {
	var role directory.NewRole
	var may access
	var when period
	var known position.Known
	var asJSON bool
	grant := &cobra.Command{
		Use:   "grant",
		Short: "Grant a role to a person and print its id",
		Long: "Grant a role to a person at an organisation and print the role's id. The person may do in the role what the given\n" +
			"activities say and nothing more: the job role adds none.",
		Example: `  credence role grant --person 656005750113 --organisation ZX100 --job-role S8000:G8000:R8000 --activity B0420,B0401
  credence role grant --person 656005750113 --organisation ZX100 --job-role S8000:G8000:R8001 --ends 2030-01-01 --workgroup "655694018104=Ward 4"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var workgroupErr, whenErr error
			role.Activities, role.AreasOfWork = may.activities, may.areasOfWork
			role.Workgroups, workgroupErr = may.named()
			role.StartsAt, role.EndsAt, whenErr = when.read()
			if err := errors.Join(workgroupErr, whenErr); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				r, err := p.registrar(ctx, s)
				if err != nil {
					return err
				}
				id, err := r.Grant(ctx, role, operator(), known)
				if bound, unknown := errors.AsType[*position.BoundError](err); unknown {
					return fmt.Errorf("%w\n`credence authenticator revoke` takes away what is not hers; --authenticators-seen %s grants it once you have seen all of these with her", bound, position.MarkOf(bound.Bindings))
				}
				if refusal, apart := errors.AsType[*deed.Refusal](err); apart {
					return fmt.Errorf("%w: --despite-separation-of-duties grants it all the same", refusal)
				}
				if err != nil {
					err = hint(err, directory.ErrUnknownCode, "`credence catalogue list` shows those there are; --unlisted grants another")
					return hint(hint(err, directory.ErrUnknown, listPeople+", "+listOrganisations), directory.ErrTaken, listRoles)
				}
				return printID(cmd, id, asJSON)
			})
		},
	}
	flags := grant.Flags()
	flags.StringVar(&role.ID, "id", "", "12 `digits` (default drawn at random)")
	flags.StringVar(&role.JobRole, "job-role", "", "S:G:R `code` of the job role")
	addSeenFlag(grant, &known.Bound)
	flags.BoolVar(&known.Separated, "despite-separation-of-duties", false, "grant what nobody holds together with what the person has; it is recorded that you did")
	flags.BoolVar(&role.Unlisted, "unlisted", false, "grant codes that are not in the catalogue: services then see the code for a name")
	require(grant, "job-role")
	addPersonFlag(grant, &role.PersonID)
	addOrganisationFlag(grant, &role.Organisation)
	may.addFlags(grant)
	when.addFlags(grant, "the role starts", "now", "the role")
	addJSONFlag(grant, &asJSON)
	return grant
}

func newRoleEndCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "end ID",
		Short:   "End a role at once",
		Example: "  credence role end 656014107001",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				err := directory.EndRole(ctx, s, args[0], operator(), p.clock())
				if errors.Is(err, directory.ErrUnknown) {
					return whyNotEnded(ctx, s, args[0])
				}
				if err != nil {
					return err
				}
				return say(cmd, "Role %s has ended.\n", args[0])
			})
		},
	}
}

// whyNotEnded says whether a role that cannot be ended has ended already, or never was.
func whyNotEnded(ctx context.Context, s *store.Store, id string) error {
	// Ids have one length, so at most ten begin as this one does but for its last digit, and they are the next.
	near, err := s.Roles(ctx, "", id[:max(len(id)-1, 0)], 10)
	if err != nil {
		return fmt.Errorf("read role %q: %w", id, err)
	}
	if slices.ContainsFunc(near, func(r store.RoleRow) bool { return r.ID == id }) {
		return fmt.Errorf("role %q has ended already", id)
	}
	return fmt.Errorf("no role has id %q: %s", id, listRoles)
}

func newRoleListCommand(p *program) *cobra.Command {
	type row struct {
		ID           string     `json:"id"`
		Person       string     `json:"person"`
		Organisation string     `json:"organisation"`
		JobRole      string     `json:"job_role"`
		JobRoleName  string     `json:"job_role_name"`
		Activities   []string   `json:"activities"`
		StartsAt     time.Time  `json:"starts_at"`
		EndsAt       *time.Time `json:"ends_at"`
	}
	var page paging
	var person string
	list := &cobra.Command{
		Use:     "list",
		Short:   "List roles by id, those that have ended included",
		Example: "  credence role list --person 656005750104 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				catalogue, err := readCatalogue(ctx, s)
				if err != nil {
					return err
				}
				if cmd.Flags().Changed("person") {
					if _, err := findPerson(ctx, s, person, p.clock()); err != nil {
						return err
					}
				}
				roles, err := s.Roles(ctx, person, page.after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list roles: %w", err)
				}
				return listing[store.RoleRow]{
					name: "roles", titles: []string{"ID", "PERSON", "ORGANISATION", "JOB ROLE", "NAME", "ACTIVITIES", "STARTS", "ENDS"}, id: func(r store.RoleRow) string { return r.ID },
					row: func(r store.RoleRow) any {
						return row{r.ID, r.PersonID, r.OrganisationCode, r.JobRole, catalogue.JobRoleShortName(r.JobRole), r.Activities, r.StartsAt.UTC(), r.EndsAt}
					},
					cells: func(r store.RoleRow) []string {
						return []string{r.ID, r.PersonID, r.OrganisationCode, r.JobRole, catalogue.JobRoleShortName(r.JobRole), strings.Join(r.Activities, ","), moment(&r.StartsAt), moment(r.EndsAt)}
					},
				}.print(cmd, page, roles)
			})
		},
	}
	list.Flags().StringVar(&person, "person", "", "only those of the person with this `id`")
	page.addFlags(list)
	return list
}
