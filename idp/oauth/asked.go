package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
)

// askedFor adds to an answer what the parameter claims asked for beyond the scopes: OpenID Connect Core 1.0, Section 5.5, and
// OpenID Connect for Identity Assurance 1.0. A client gets nothing by it that its scopes could not have given it, and
// verified claims only where that is registered. What cannot be given is left out, and is no error.
func (h *Handler) askedFor(ctx context.Context, g *grant, c client, part ida.Part, answer any) (any, error) {
	more := map[string]json.RawMessage{}
	if err := h.individual(g, c, part, more); err != nil {
		return nil, err
	}
	if part.AsksVerified() && c.VerifiedClaims != "" {
		if err := h.verified(ctx, g, c, part, more); err != nil {
			return nil, err
		}
	}
	if len(more) == 0 {
		return answer, nil
	}
	return answered{answer, more}, nil
}

// individual adds the claims that are asked for by name.
func (h *Handler) individual(g *grant, c client, part ida.Part, more map[string]json.RawMessage) error {
	if len(part.Claims) == 0 {
		return nil
	}
	all := *g
	all.Scopes = c.Scopes
	encoded, err := json.Marshal(struct {
		assuranceClaims
		personClaims
	}{h.assuranceClaims(&all, c), all.personClaims(h.Catalogue, c)})
	if err != nil {
		return fmt.Errorf("encode claims: %w", err)
	}
	var held map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &held); err != nil {
		return fmt.Errorf("decode claims: %w", err)
	}
	for name, constraint := range part.Claims {
		value, there := held[name]
		if !there {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.UseNumber()
		var decoded any
		if err := decoder.Decode(&decoded); err != nil {
			return fmt.Errorf("decode claim %q: %w", name, err)
		}
		if constraint.Admits(decoded, h.Now()) {
			more[name] = value
		}
	}
	return nil
}

// verified adds what is asked for of the evidence for the person's identity.
func (h *Handler) verified(ctx context.Context, g *grant, c client, part ida.Part, more map[string]json.RawMessage) error {
	held, err := h.Evidence.Verified(ctx, g.PersonID)
	if err != nil {
		return fmt.Errorf("read verified claims of person %q: %w", g.PersonID, err)
	}
	// As the level that the token says: never more than when the grant was given.
	held = slices.DeleteFunc(held, func(v ida.VerifiedClaims) bool {
		return assurance.IdentityLevel(v.Verification.AssuranceLevel) != g.reached().Identity
	})
	if c.VerifiedClaims == VerifiedUK {
		for i := range held {
			held[i] = held[i].UK()
		}
	}
	selected, err := part.Select(held, h.Now())
	if err != nil || selected == nil {
		return err
	}
	more["verified_claims"], err = json.Marshal(selected)
	return err
}

// answered is a JSON object with further members. A member that the object has already stays as it is.
type answered struct {
	object any
	more   map[string]json.RawMessage
}

// MarshalJSON implements json.Marshaler.
func (a answered) MarshalJSON() ([]byte, error) {
	encoded, err := json.Marshal(a.object)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(encoded, &members); err != nil {
		return nil, err
	}
	for name, value := range a.more {
		if _, there := members[name]; !there {
			members[name] = value
		}
	}
	return json.Marshal(members)
}
