package wardlist

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The sign-in that prescribing asks for.
//
// The API looks at acr and not at the claim authenticator_assurance_level,
// though both say how strong a sign-in was: acr_values is all that a challenge
// can ask with (RFC 9470, Section 3), and what is checked has to be what was
// asked for, or a client could do as it was told and still be turned away.
const (
	acrPrescribe    = "AAL3_ANY"
	maxAgePrescribe = time.Hour
)

const (
	prescriptionsPath = "/api/prescriptions"

	maxToken = 64 << 10 // bytes of an access token
	maxOrder = 1 << 10  // bytes of what is asked of the API
)

// order is what the API is asked for.
type order struct {
	Bed string `json:"bed"`
}

// prescription is what the API answers. It is kept nowhere.
type prescription struct {
	ID           string    `json:"id"`
	Bed          string    `json:"bed"`
	PrescribedAt time.Time `json:"prescribed_at"`
}

// refusal is any other answer of the API.
type refusal struct {
	status    int
	challenge challenge // sent as such with 401 and 403
	cause     error     // for the log only
}

// servePrescriptions answers at the API: a resource server beside the pages,
// which knows nothing of their sessions. All it believes is the access token.
func (s *Server) servePrescriptions(w http.ResponseWriter, r *http.Request) {
	made, refused := s.takeOrder(w, r)
	if refused == nil {
		writeJSON(w, http.StatusCreated, made)
		return
	}
	attrs := []slog.Attr{slog.Int("status", refused.status), slog.String("error_code", refused.challenge.code)}
	if refused.cause != nil {
		attrs = append(attrs, slog.String("cause", shorten(refused.cause.Error())))
	}
	s.config.Log.LogAttrs(r.Context(), slog.LevelWarn, "ward list refused a prescription", attrs...)
	if refused.status == http.StatusUnauthorized || refused.status == http.StatusForbidden {
		w.Header().Set("WWW-Authenticate", refused.challenge.String())
	}
	writeJSON(w, refused.status, map[string]string{"error": refused.challenge.code, "error_description": refused.challenge.description})
}

// takeOrder takes an order of somebody who may prescribe.
func (s *Server) takeOrder(w http.ResponseWriter, r *http.Request) (prescription, *refusal) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		// RFC 6750, Section 3.1: without a token, no error is told.
		return prescription{}, &refusal{status: http.StatusUnauthorized, cause: errors.New("the request has no access token")}
	}
	p, err := s.discover(r.Context())
	if err != nil {
		return prescription{}, &refusal{http.StatusServiceUnavailable, challenge{
			code: "temporarily_unavailable", description: "The keys that access tokens are checked with cannot be fetched.",
		}, errors.Unwrap(err)}
	}
	now := s.config.Now()
	bearer, err := s.verifyAccessToken(r.Context(), p, token, now)
	if err != nil {
		return prescription{}, &refusal{http.StatusUnauthorized, challenge{
			code: invalidToken, description: "The access token is malformed, has expired or is not for this service.",
		}, err}
	}
	if refused := permit(bearer, now); refused != nil {
		return prescription{}, refused
	}
	wanted, err := readOrder(w, r)
	if err != nil {
		return prescription{}, &refusal{http.StatusBadRequest, challenge{
			code: "invalid_request", description: "Send JSON that names a bed of the ward.",
		}, err}
	}
	return prescription{ID: rand.Text(), Bed: wanted.Bed, PrescribedAt: now.UTC()}, nil
}

// verifyAccessToken returns the claims of an access token of the provider that
// is for this API and was issued to the ward list (RFC 9068, Section 4).
func (s *Server) verifyAccessToken(ctx context.Context, p *provider, raw string, now time.Time) (claims, error) {
	if len(raw) > maxToken {
		return nil, fmt.Errorf("access token has %d bytes, want at most %d", len(raw), maxToken)
	}
	token, err := p.accessTokens.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify the access token: %w", err)
	}
	// The key of the provider signs ID tokens too, and more kinds to come: only
	// the type tells them apart (RFC 8725, Section 3.11).
	if typ := tokenType(raw); !strings.EqualFold(strings.TrimPrefix(typ, "application/"), "at+jwt") {
		return nil, fmt.Errorf("token is of type %q, want at+jwt", shorten(typ))
	}
	// RFC 9068, Section 4: "The current time MUST be before the time represented
	// by the "exp" claim"; the verifier also takes the moment itself.
	if !now.Before(token.Expiry) {
		return nil, errors.New("access token has just expired")
	}
	var c claims
	if err := token.Claims(&c); err != nil {
		return nil, fmt.Errorf("read the access token's claims: %w", err)
	}
	// Clients that registered no audience share one, the issuer. What another of
	// them was given must not open this API.
	if c.text("client_id") != s.config.ClientID {
		return nil, errors.New("access token was issued to another client")
	}
	return c, nil
}

// tokenType is the type that a token in compact serialization states in its
// header, which the caller has verified.
func tokenType(raw string) string {
	encoded, _, _ := strings.Cut(raw, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	var header claims
	if json.Unmarshal(decoded, &header) != nil {
		return ""
	}
	return header.text("typ")
}

// permit is the rule of who may prescribe: nil for those who may.
func permit(bearer claims, now time.Time) *refusal {
	// First, for no sign-in, however strong, mends this.
	if !bearer.prescriber() {
		return &refusal{status: http.StatusForbidden, challenge: challenge{
			code: insufficientScope, description: "The role in use does not hold activity " + activityPrescribe + ", Independent Prescribing.",
		}}
	}
	// The provider let a sign-in pass by its own clock and some seconds ago: to
	// be exact here would challenge again what has just met the challenge.
	at, _ := bearer.instant("auth_time") // absent, it was never
	age := now.Sub(at)
	if bearer.text("acr") != acrPrescribe || age > maxAgePrescribe+clockSkew || age < -clockSkew {
		return &refusal{status: http.StatusUnauthorized, challenge: challenge{
			code: insufficientSignIn, description: "Prescribing needs a stronger or a more recent sign-in.",
			acrValues: []string{acrPrescribe}, maxAge: new(maxAgePrescribe),
		}}
	}
	return nil
}

// readOrder reads an order for a bed that there is.
func readOrder(w http.ResponseWriter, r *http.Request) (order, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
	if err != nil {
		return order{}, fmt.Errorf("read the order: %w", err)
	}
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		return order{}, fmt.Errorf("read the order: %w", err)
	}
	if !slices.ContainsFunc(patients(), func(p patient) bool { return p.Bed == o.Bed }) {
		return order{}, errors.New("the order names no bed of the ward")
	}
	return o, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client has gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(v)
}
