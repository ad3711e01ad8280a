package main

import (
	"context"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
)

// withOffice runs do where officers work, for the officer for whom an operator acts. What is not known there is told with where to
// look for it.
func (p *program) withOffice(ctx context.Context, by deed.Acting, look string, do func(ctx context.Context, f *office.Office, o office.Officer) error) error {
	return p.withStore(ctx, func(ctx context.Context, s *store.Store) error {
		r, err := p.registrar(ctx, s)
		if err != nil {
			return err
		}
		f := &office.Office{Store: s, Positions: r, Rules: r.Rules, Now: p.clock}
		o, err := f.Represented(ctx, by)
		if err != nil {
			return err
		}
		return hint(do(ctx, f, o), directory.ErrUnknown, look)
	})
}
