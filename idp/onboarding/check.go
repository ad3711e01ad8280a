package onboarding

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/store"
)

// betweenChecks is how long an application that was checked is not checked again.
const betweenChecks = time.Minute

// Check is what a readiness check found.
type Check struct {
	At       time.Time
	By       string // a person
	Ended    bool   // it may run, or have been cut off
	Passed   bool
	Findings []Finding
}

// Check tries the addresses of an application that is open or approved, and keeps what it found.
func (r *Registrar) Check(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	if !r.Prober.begin() {
		return r.act(ctx, by, audit.ClientChecked, func(a *act) error {
			if _, err := a.application(ctx, id, authority.ApplyClient, authority.ApproveClient); err != nil {
				return err
			}
			return Refuse(Busy)
		})
	}
	defer r.Prober.end()
	check, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("draw an id: %w", err)
	}
	var application store.ClientApplication
	err = r.act(ctx, by, audit.ClientChecked, func(a *act) (err error) {
		if application, err = a.mayCheck(ctx, id); err != nil {
			return err
		}
		a.Entry.Event = audit.ClientCheckBegun // what it finds is not known yet, and whether it ends
		a.Note(map[string]string{"check": check.String()})
		return a.AddClientCheck(ctx, store.ClientCheck{ID: check, ApplicationID: id, CheckedBy: by.Person, CheckedRole: by.Role, BeganAt: a.Now})
	})
	if err != nil {
		return err
	}
	trying, cancel := context.WithTimeout(ctx, longestCheck)
	defer cancel()
	findings := slices.Concat(
		r.Prober.probe(trying, "People are sent back to it after they sign in", application.RedirectURIs),
		r.Prober.probe(trying, "People are sent to it after they sign out", application.PostLogoutRedirectURIs),
		r.Prober.keys(trying, application))
	passed := !slices.ContainsFunc(findings, func(f Finding) bool { return !f.OK })
	found, err := encode(findings)
	if err != nil {
		return err
	}
	return r.act(ctx, by, audit.ClientChecked, func(a *act) error {
		if _, err := a.application(ctx, id, authority.ApplyClient, authority.ApproveClient); err != nil {
			return err
		}
		a.Note(map[string]string{"check": check.String(), "passed": strconv.FormatBool(passed)})
		return a.EndClientCheck(ctx, check, passed, found, a.Now)
	})
}

// encode writes findings as they are kept: as they read, for each escape would take the place of six characters.
func encode(findings []Finding) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(findings); err != nil {
		return nil, fmt.Errorf("encode findings: %w", err)
	}
	return text.Bytes(), nil
}

// mayCheck locks an application that may be checked now.
func (a *act) mayCheck(ctx context.Context, id uuid.UUID) (store.ClientApplication, error) {
	application, err := a.application(ctx, id, authority.ApplyClient, authority.ApproveClient)
	if err != nil {
		return application, err
	}
	if application.State != "open" && application.State != "approved" {
		return application, Refuse(NotOpen)
	}
	last, err := a.LastClientCheck(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return application, nil
	case err != nil:
		return application, fmt.Errorf("read last check of application %s: %w", id, err)
	case a.Now.Before(last.BeganAt.Add(betweenChecks)):
		return application, Refuse(TooSoon)
	}
	return application, nil
}

// LastCheck reads the last check of an application. Nil when there was none.
func (r *Registrar) LastCheck(ctx context.Context, id uuid.UUID) (*Check, error) {
	last, err := r.Store.LastClientCheck(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // that there was none is a valid answer
	}
	if err != nil {
		return nil, fmt.Errorf("read last check of application %s: %w", id, err)
	}
	check := &Check{At: last.BeganAt, By: last.CheckedBy, Ended: last.EndedAt != nil, Passed: last.Passed != nil && *last.Passed}
	if last.Findings != nil {
		if err := json.Unmarshal(last.Findings, &check.Findings); err != nil {
			return nil, fmt.Errorf("read findings of check %s: %w", last.ID, err)
		}
	}
	return check, nil
}
