package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/store"
)

// asserted says whether an assertion proves that it is a client's, and by what it is known again: RFC 7523, Section 3. That it
// works once is for the statement that spends what is presented beside it. Otherwise the error is an [assertion.RefusedError].
func (h *Handler) asserted(ctx context.Context, c client, p assertion.Presented) (*store.Assertion, error) {
	now := h.Now()
	if err := p.Check([]string{h.Issuer, h.Issuer + "/token"}, now); err != nil {
		return nil, err
	}
	key, found := c.keys.Find(p)
	if c.JWKSURI != "" {
		key, found = h.Published.Find(ctx, c.JWKSURI, p)
	}
	if !found {
		return nil, &assertion.RefusedError{Why: assertion.UnknownKey}
	}
	if err := p.SignedBy(key); err != nil {
		return nil, err
	}
	hash, until := p.Once()
	return &store.Assertion{ClientID: c.ID, Hash: hash, ExpiresAt: until}, nil
}

// use takes the assertion by which the client of a request was known, in the transaction that refuses something for good.
func (c client) use(ctx context.Context, tx *store.Tx) error {
	if c.proof == nil {
		return nil
	}
	return tx.UseAssertion(ctx, *c.proof)
}

// replayed is an error of a statement that took the assertion of a request: that it was taken before is no proof of anybody.
func replayed(err error) error {
	if errors.Is(err, store.ErrReplayed) {
		return &assertion.RefusedError{Why: assertion.Replayed}
	}
	return err
}

// applyKeys checks the keys of the registration and sets them on the client. A client with keys has no secret, and the other way
// round; its keys are in one place, RFC 7591, Section 2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present".
func (r Registration) applyKeys(c *store.Client) (mistakes []error) {
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, &Mistake{Field: field, Err: fmt.Errorf(format, args...)})
	}
	c.JWKS, c.JWKSURI = nil, r.JWKSURI
	switch given := len(r.JWKS) > 0; {
	case r.Authentication != AuthPrivateKeyJWT:
		if given || r.JWKSURI != "" {
			wrong("jwks", "keys are for authentication %s: a client has keys or a secret", AuthPrivateKeyJWT)
		}
		return mistakes
	case given && r.JWKSURI != "":
		wrong("jwks", "give the keys or the address where they are, not both")
	case !given && r.JWKSURI == "":
		wrong("jwks", "authentication %s needs the public keys of the client, or the address where it publishes them", AuthPrivateKeyJWT)
	case r.JWKSURI != "":
		if err := checkJWKSURI(r.JWKSURI); err != nil {
			wrong("jwks_uri", "key set address %q: %w", r.JWKSURI, err)
		}
	}
	if len(r.JWKS) == 0 {
		return mistakes
	}
	set, err := ParseKeys(r.JWKS)
	if err != nil {
		wrong("jwks", "%w", err)
		return mistakes
	}
	if c.JWKS, err = set.JSON(); err != nil {
		wrong("jwks", "%w", err)
	}
	return mistakes
}

// ParseKeys reads the key set of a client as it is registered: public keys, all of which can be used. The error says what to
// correct.
func ParseKeys(text json.RawMessage) (assertion.KeySet, error) {
	set, faults, err := assertion.ParseKeySet(text, assertion.MostRegistered)
	if err != nil {
		return set, err
	}
	errs := make([]error, 0, len(faults))
	for _, fault := range faults {
		errs = append(errs, fault)
	}
	if len(set.Keys)+len(faults) == 0 {
		errs = append(errs, errors.New("there is no key in the set"))
	}
	return set, errors.Join(errs...)
}

// checkJWKSURI says whether a client may publish its keys at an address. It is one that redirect URIs may be, of a web server.
func checkJWKSURI(uri string) error {
	if err := checkRedirectURI(uri); err != nil {
		return err
	}
	if !strings.HasPrefix(uri, "https://") && !strings.HasPrefix(uri, "http://") {
		return errors.New("want https://")
	}
	return nil
}
