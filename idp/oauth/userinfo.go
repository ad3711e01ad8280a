package oauth

import (
	"errors"
	"net/http"

	"github.com/credence-id/credence/idp/audit"
)

// userinfo is the UserInfo endpoint: OpenID Connect Core 1.0, Section 5.3. The token is checked by its signature, and
// everything that it stands on is read again, so that it works no moment longer than they do.
func (h *Handler) userinfo(w http.ResponseWriter, r *http.Request) error {
	g, c, err := h.present(w, r, audit.UserinfoRead, ScopeOpenID)
	if err = challenge(w, err); errors.Is(err, errNoToken) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	if err != nil {
		return err
	}
	asked, err := g.asked()
	if err != nil {
		return err
	}
	answer, err := h.askedFor(r.Context(), g, c, asked.UserInfo, h.userInfo(g, c))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// userInfo are the claims that go with the scopes of a grant, and the vector of trust where the request asked for vectors.
type userInfo struct {
	Subject string `json:"sub"`
	personClaims
	Vector          string `json:"vot,omitempty"`
	VectorTrustmark string `json:"vtm,omitempty"`
}

func (h *Handler) userInfo(g *grant, c client) userInfo {
	u := userInfo{Subject: g.PersonID, personClaims: g.personClaims(h.Catalogue, c)}
	if g.Demand == nil { // nobody asked for a vector
		return u
	}
	demand := g.demand(c)
	if _, u.Vector = demand.Answer(g.reached()); u.Vector != "" {
		u.VectorTrustmark = h.trustmark(demand.Trustmark)
	}
	return u
}
