package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/web"
)

// lastCheck is what the last readiness check of an application found. Nil when there was none.
func (h *Handler) lastCheck(ctx context.Context, id uuid.UUID) (*web.ClientCheck, error) {
	last, err := h.Onboarding.LastCheck(ctx, id)
	if err != nil || last == nil {
		return nil, err
	}
	names, err := h.Names(ctx, last.By)
	if err != nil {
		return nil, err
	}
	check := &web.ClientCheck{At: last.At, ByName: names[last.By], Ended: last.Ended, Passed: last.Passed}
	for _, f := range last.Findings {
		check.Findings = append(check.Findings, web.ClientFinding(f))
	}
	return check, nil
}

// checking shows what the last readiness check found, and offers another.
func (h *Handler) checking(w http.ResponseWriter, r *http.Request, o officer) error {
	return h.showCheck(w, r, o, http.StatusOK, nil)
}

func (h *Handler) showCheck(w http.ResponseWriter, r *http.Request, o officer, status int, wrong []web.FieldError) error {
	a, err := h.applied(r.Context(), o, r.PathValue("id"), office.OnClients()...)
	if err != nil {
		return err
	}
	page := web.DeskClientCheck{Desk: h.desk(r, o), Name: a.Name, ClientURL: a.url(), PostURL: r.URL.Path, CanCheck: a.State == "open" || a.State == "approved"}
	page.Errors = wrong
	if page.Check, err = h.lastCheck(r.Context(), a.ID); err != nil {
		return err
	}
	return h.Pages.Render(w, status, page)
}

// check runs the readiness check.
func (h *Handler) check(w http.ResponseWriter, r *http.Request, o officer) error {
	a, err := h.applied(r.Context(), o, r.PathValue("id"), office.OnClients()...)
	if err != nil {
		return err
	}
	if err = h.Onboarding.Check(r.Context(), o.Acting(), a.ID); err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	wrong, err := mistakes(err, nil)
	if err != nil {
		return err
	}
	return h.showCheck(w, r, o, http.StatusBadRequest, wrong)
}

// secret shows which secrets of a client work, though not what they are, and offers to make another.
func (h *Handler) secret(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.secretPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) secretPage(r *http.Request, o officer) (web.DeskClientSecret, error) {
	a, err := h.applied(r.Context(), o, r.PathValue("id"), authority.ApplyClient)
	if err != nil {
		return web.DeskClientSecret{}, err
	}
	c, err := h.Onboarding.ToRotate(r.Context(), a.ClientApplication)
	if err != nil {
		return web.DeskClientSecret{}, err
	}
	page := web.DeskClientSecret{
		Desk: h.desk(r, o), Name: a.Name, ClientURL: a.url(), ClientID: c.ID, PostURL: fmt.Sprintf("%s/secret?seen=%d", a.url(), a.Secrets), First: a.Secrets == 0, Days: "7",
	}
	if a.SecretAt != nil {
		page.MadeAt = *a.SecretAt
	}
	if c.OldSecretEndsAt != nil && c.OldSecretEndsAt.After(h.Now()) {
		page.OldEndsAt = *c.OldSecretEndsAt
	}
	return page, nil
}

// makeSecret makes a new secret and shows it, this once; or ends the old one.
func (h *Handler) makeSecret(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	a, err := h.applied(r.Context(), o, r.PathValue("id"), authority.ApplyClient)
	if err != nil {
		return err
	}
	var secret string
	if f.Has("end") {
		err = h.Onboarding.EndOldSecret(r.Context(), o.Acting(), a.ID, secretsSeen(r))
	} else {
		secret, err = h.rotate(r, o, a, f.Get("days"))
	}
	if err == nil && secret == "" {
		return web.SeeOther(w, r, r.URL.Path)
	}
	if err == nil {
		page, err := h.secretPage(r, o)
		if err != nil {
			return err
		}
		return h.Pages.Render(w, http.StatusOK, web.DeskClientSecretMade{
			Desk: page.Desk, Name: page.Name, ClientURL: page.ClientURL, ClientID: page.ClientID, Secret: secret, OldEndsAt: page.OldEndsAt,
		})
	}
	since := refusedAs(err, onboarding.SecretSince, onboarding.NoSecret)
	wrong, err := mistakes(err, map[string]string{"days": "Enter a number of days from 0 to 30"})
	if err != nil {
		return err
	}
	page, err := h.secretPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Days = wrong, f.Get("days")
	if since {
		if page.Meanwhile, err = h.rotatedMeanwhile(r.Context(), page, f); err != nil {
			return err
		}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// rotatedMeanwhile is what another officer did with the secrets of a client, beside what was entered.
func (h *Handler) rotatedMeanwhile(ctx context.Context, page web.DeskClientSecret, f url.Values) (*web.Meanwhile, error) {
	done, err := h.LastOfClient(ctx, page.ClientID, audit.ClientSecretRotated, audit.ClientSecretEnded)
	if err != nil {
		return nil, err
	}
	day := func(t time.Time) string { return t.Format("2 January 2006") }
	made, old := "The last was made on "+day(page.MadeAt), "The old one does not work any more"
	if !page.OldEndsAt.IsZero() {
		old = "The old one works until " + day(page.OldEndsAt)
	}
	if f.Has("end") {
		return meanwhile(done, beside("Old secret", old, "End it now")), nil
	}
	entered := "Make its secret"
	if f.Has("days") {
		entered = "Make a new secret, beside which the old one works for " + f.Get("days") + " days"
	}
	return meanwhile(done, web.Difference{Name: "Secret", Was: []string{made, old}, Is: []string{entered}}), nil
}

// secretsSeen is how many secrets had been made when the page was opened, as its address says.
func secretsSeen(r *http.Request) int {
	seen, err := strconv.Atoi(r.URL.Query().Get("seen"))
	if err != nil {
		return -1 // no page that was opened
	}
	return seen
}

// rotate makes a secret beside which the one before works for the days that were entered. The form for the first asks for none.
func (h *Handler) rotate(r *http.Request, o officer, a applied, days string) (string, error) {
	var err error
	seen, overlap := secretsSeen(r), 0
	if seen != 0 {
		if overlap, err = strconv.Atoi(web.OneLine(days)); err != nil {
			overlap = -1
		}
	}
	return h.Onboarding.Rotate(r.Context(), o.Acting(), a.ID, seen, overlap)
}
