package webauthn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/store"
)

// VouchFor adds a model that the operator vouches for, or replaces its name and roots. That an authenticator is of it has to
// be proved by an attestation that chains to one of the roots.
func VouchFor(ctx context.Context, s *store.Store, m store.AuthenticatorModel, actor string) error {
	switch _, err := metadata.Own([]byte(m.Roots)); {
	case m.AAGUID == uuid.Nil:
		return errors.New("the AAGUID of zeros is no model: it stands for not saying which")
	case m.Name == "" || len(m.Name) > 200:
		return errors.New("want a name of 1 to 200 characters")
	case err != nil:
		return fmt.Errorf("roots: %w", err)
	case len(m.Roots) > 64<<10:
		return fmt.Errorf("roots: want at most %d bytes", 64<<10)
	}
	return s.InTx(ctx, func(tx *store.Tx) error {
		detail := map[string]string{"aaguid": m.AAGUID.String(), "name": m.Name, "roots": fingerprint(m.Roots)}
		was, err := tx.AuthenticatorModel(ctx, m.AAGUID)
		if err == nil {
			detail["old_name"], detail["old_roots"] = was.Name, fingerprint(was.Roots)
		} else if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("read authenticator model: %w", err)
		}
		if err := tx.PutAuthenticatorModel(ctx, m); err != nil {
			return fmt.Errorf("store authenticator model: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{At: m.CreatedAt, Event: audit.ModelVouchedFor, Actor: actor, Detail: detail})
	})
}

// fingerprint tells roots apart in the record.
func fingerprint(roots string) string { return "sha256:" + fmt.Sprintf("%x", hash([]byte(roots))) }

// ErrNoModel says that nobody vouches for a model.
var ErrNoModel = errors.New("no such model")

// StopVouchingFor removes a model. The levels of its authenticators fall with the next sign-in, unless metadata holds them up.
func StopVouchingFor(ctx context.Context, s *store.Store, aaguid uuid.UUID, actor string, now time.Time) error {
	err := s.InTx(ctx, func(tx *store.Tx) error {
		was, err := tx.AuthenticatorModel(ctx, aaguid)
		if err != nil {
			return err
		}
		if err := tx.RemoveAuthenticatorModel(ctx, aaguid); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.ModelDropped, Actor: actor, Detail: map[string]string{
			"aaguid": aaguid.String(), "old_name": was.Name, "old_roots": fingerprint(was.Roots),
		}})
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoModel
	}
	if err != nil {
		return fmt.Errorf("remove authenticator model %s: %w", aaguid, err)
	}
	return nil
}

var (
	// ErrNoPolicy says that an organisation has no policy of its own.
	ErrNoPolicy = errors.New("no such policy")
	// ErrNoOrganisation says that there is no organisation of a code.
	ErrNoOrganisation = errors.New("no such organisation")
)

const maxModels = 50 // that a policy names, allowed and denied each: a record of its change holds both policies

// SetPolicy sets what an organisation asks of the authenticators of its people, in place of what it asked before. What does
// not meet it is not bound any more, and refused at its next use.
func SetPolicy(ctx context.Context, s *store.Store, p store.AuthenticatorPolicy, actor string, now time.Time) error {
	switch {
	case len(p.Allowed) > maxModels || len(p.Denied) > maxModels:
		return fmt.Errorf("want at most %d models that are allowed, and as many that are denied", maxModels)
	case slices.Contains(p.Allowed, uuid.Nil):
		return errors.New("the AAGUID of zeros cannot be allowed: it stands for not saying which model it is")
	case slices.ContainsFunc(p.Allowed, func(m uuid.UUID) bool { return slices.Contains(p.Denied, m) }):
		return errors.New("a model is both allowed and denied: want it in one of the lists")
	case len(p.Allowed) == 0 && len(p.Denied) == 0 && !p.DeviceBound && !p.Attestation:
		return errors.New("the policy asks for nothing: clear it instead")
	}
	err := s.InTx(ctx, func(tx *store.Tx) error {
		detail := map[string]string{"organisation": p.OrganisationCode}
		was, err := tx.AuthenticatorPolicy(ctx, p.OrganisationCode)
		if err == nil {
			describe(detail, "old_", was)
		} else if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("read policy: %w", err)
		}
		describe(detail, "", p)
		if err := tx.PutAuthenticatorPolicy(ctx, p); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.PolicySet, Actor: actor, Detail: detail})
	})
	if errors.Is(err, store.ErrReference) {
		return ErrNoOrganisation
	}
	if err != nil {
		return fmt.Errorf("set authenticator policy of organisation %q: %w", p.OrganisationCode, err)
	}
	return nil
}

// describe puts a policy into the detail of a record.
func describe(detail map[string]string, prefix string, p store.AuthenticatorPolicy) {
	detail[prefix+"allowed"], detail[prefix+"denied"] = list(p.Allowed), list(p.Denied)
	detail[prefix+"device_bound"], detail[prefix+"attestation"] = strconv.FormatBool(p.DeviceBound), strconv.FormatBool(p.Attestation)
}

func list(models []uuid.UUID) string {
	var texts []string
	for _, m := range models {
		texts = append(texts, m.String())
	}
	return strings.Join(texts, " ")
}

// ClearPolicy has an organisation ask for nothing itself: what those above it ask holds for it.
func ClearPolicy(ctx context.Context, s *store.Store, organisationCode, actor string, now time.Time) error {
	err := s.InTx(ctx, func(tx *store.Tx) error {
		was, err := tx.AuthenticatorPolicy(ctx, organisationCode)
		if err != nil {
			return err
		}
		if err := tx.RemoveAuthenticatorPolicy(ctx, organisationCode); err != nil {
			return err
		}
		detail := map[string]string{"organisation": organisationCode}
		describe(detail, "old_", was)
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.PolicyCleared, Actor: actor, Detail: detail})
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoPolicy
	}
	if err != nil {
		return fmt.Errorf("clear authenticator policy of organisation %q: %w", organisationCode, err)
	}
	return nil
}

// Policy is the policy that holds for the people of an organisation, its own or one that it inherits; false says that there
// is none.
func (m *Models) Policy(organisationCode string) (store.AuthenticatorPolicy, bool) {
	p, ok := m.current.Load().policies[organisationCode]
	return p, ok
}
