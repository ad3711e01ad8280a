package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const recoveryPath = "/account/recovery"

// recovery says how many recovery codes she has.
func (h *Handler) recovery(w http.ResponseWriter, r *http.Request, o owner) error {
	codes, err := h.recoveryCodes(r, o)
	if err != nil {
		return err
	}
	page := web.AccountRecovery{Account: h.account(r, o), Left: codes.Left, LostURL: recoveryPath + "/lost"}
	if codes.MadeAt != nil {
		page.MadeAt = *codes.MadeAt
	}
	if h.Enroller.Recovers(o.Person) {
		page.NewURL = recoveryPath + "/new"
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) recoveryCodes(r *http.Request, o owner) (store.RecoveryCodes, error) {
	codes, err := h.Store.RecoveryCodes(r.Context(), o.Person.ID)
	if err != nil {
		return codes, fmt.Errorf("count recovery codes of person %s: %w", o.Person.ID, err)
	}
	return codes, nil
}

// makingCodes asks whether she wants recovery codes.
func (h *Handler) makingCodes(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.confirmCodes(w, r, o, false)
}

// losingCodes asks whether she lost them.
func (h *Handler) losingCodes(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.confirmCodes(w, r, o, true)
}

func (h *Handler) confirmCodes(w http.ResponseWriter, r *http.Request, o owner, lost bool) error {
	codes, err := h.recoveryCodes(r, o)
	if err != nil {
		return err
	}
	page := web.AccountRecoveryChange{Account: h.account(r, o), Left: codes.Left, Lost: lost, PostURL: r.URL.Path, ListURL: recoveryPath}
	if !lost && o.Level < registration.MostRecovered {
		page.Weak = true
		return h.Pages.Render(w, http.StatusForbidden, page)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// makeCodes makes recovery codes and shows them, once.
func (h *Handler) makeCodes(w http.ResponseWriter, r *http.Request, o owner) error {
	if !h.Enroller.Recovers(o.Person) {
		return web.SeeOther(w, r, recoveryPath)
	}
	codes, err := h.newCodes(r.Context(), o)
	if errors.Is(err, errAgain) {
		return web.SeeOther(w, r, recoveryPath+"/new")
	}
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.AccountRecovery{Account: h.account(r, o), Codes: codes})
}

// newCodes makes recovery codes, if the sign-in still lets her.
func (h *Handler) newCodes(ctx context.Context, o owner) ([]string, error) {
	return h.Enroller.MakeRecoveryCodes(ctx, o.Person.ID, h.by(o), func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, h.asKept)
		if err == nil && now.Level < registration.MostRecovered {
			err = errAgain
		}
		return err
	})
}

// loseCodes takes a report that the recovery codes were lost.
func (h *Handler) loseCodes(w http.ResponseWriter, r *http.Request, o owner) error {
	if err := h.dropCodes(r.Context(), o); err != nil {
		return err
	}
	return web.SeeOther(w, r, recoveryPath)
}

func (h *Handler) dropCodes(ctx context.Context, o owner) error {
	return h.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, h.asActive)
		if err != nil {
			return err
		}
		by := h.by(now)
		by.Detail = map[string]string{"why": "reported lost"}
		return registration.DropRecoveryCodes(ctx, tx, h.Enroller.Messenger, now.Person.ID, by)
	})
}
