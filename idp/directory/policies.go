package directory

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

// Policies are those of all organisations, as this replica last read them. They are safe for concurrent use.
type Policies struct {
	elsewhere Policy                   // what holds where no organisation says anything
	current   atomic.Pointer[policies] // replaced whole, never changed
	loading   sync.Mutex               // at most one load at a time
}

// policies is what they are at a moment, of the organisations that say something and those below them.
type policies struct {
	generation int64
	own        map[string]own               // by code
	least      assurance.AuthenticatorLevel // of those at which officers may have signed in
}

// own is what an organisation itself says, and which is above it.
type own struct {
	Policy

	parent string // "" is none
}

// NewPolicies knows no organisation yet. Where none says anything officers sign in at level 3, and people find this help.
func NewPolicies(help Help) *Policies {
	p := &Policies{elsewhere: Policy{DeskLevel: assurance.AAL3, Help: help}}
	p.current.Store(&policies{generation: -1, least: p.elsewhere.DeskLevel})
	return p
}

// Load reads the policies, if one changed since they were last read, or which organisation is above which.
func (p *Policies) Load(ctx context.Context, s *store.Store) error {
	p.loading.Lock()
	defer p.loading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	generation, err := s.Generation(ctx, "organisation") // first: a change in between makes the next poll read again
	if err != nil {
		return fmt.Errorf("read generation of organisations: %w", err)
	}
	if p.current.Load().generation == generation {
		return nil
	}
	rows, err := s.OrganisationPolicies(ctx)
	if err != nil {
		return fmt.Errorf("read policies of organisations: %w", err)
	}
	next := &policies{generation, make(map[string]own, len(rows)), p.elsewhere.DeskLevel}
	for _, row := range rows {
		said := own{Policy: policyOf(row)}
		if row.ParentCode != nil {
			said.parent = *row.ParentCode
		}
		if said.DeskLevel != 0 {
			next.least = min(next.least, said.DeskLevel)
		}
		next.own[row.Code] = said
	}
	p.current.Store(next)
	return nil
}

// Run looks for other policies until the context ends.
func (p *Policies) Run(ctx context.Context, s *store.Store, log *slog.Logger) error {
	return poll.Run(ctx, log, "policies of organisations", func(ctx context.Context) error { return p.Load(ctx, s) })
}

// Of is what holds at an organisation. At one that is unknown, or "", that holds which holds where none says anything.
func (p *Policies) Of(organisation string) Policy {
	known := p.current.Load().own
	said := known[organisation]
	held, above := said.Policy, said.parent
	for range store.MostAbove {
		if above == "" {
			break
		}
		said = known[above]
		held, above = held.under(said.Policy), said.parent
	}
	return held.under(p.elsewhere)
}

// LeastDeskLevel is the lowest level at which the officers of any organisation may have signed in.
func (p *Policies) LeastDeskLevel() assurance.AuthenticatorLevel { return p.current.Load().least }

// HelpFor is where somebody finds help: at the organisation of the role that she acts in, nil being none, or of the first of her
// roles, or where she belongs. Where nobody is known the person is the zero value.
func (p *Policies) HelpFor(person store.Person, role *store.Role) Help {
	switch {
	case role != nil:
		return p.Of(role.OrganisationCode).Help
	case len(person.Roles) > 0:
		return p.Of(person.Roles[0].OrganisationCode).Help
	case len(person.Memberships) > 0:
		return p.Of(person.Memberships[0].OrganisationCode).Help
	}
	return p.elsewhere.Help
}
