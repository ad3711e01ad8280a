package account

import (
	"context"
	"fmt"
	"net/http"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const codePath = "/account/code"

// code shows the code that somebody who registered herself reads aloud to an officer, and the form that makes her one. Who needs none has
// no such page.
func (h *Handler) code(w http.ResponseWriter, r *http.Request, o owner) error {
	code, err := h.accountCode(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.AccountCode{Account: h.account(r, o), Code: code.Code, EndsAt: code.EndsAt, PostURL: codePath})
}

func (h *Handler) accountCode(r *http.Request, o owner) (*evidence.AccountCode, error) {
	code, err := h.Evidence.AccountCode(r.Context(), o.Person.ID)
	if err == nil && code == nil {
		err = fmt.Errorf("account code of person %s %w", o.Person.ID, directory.ErrUnknown)
	}
	return code, err
}

// makeCode makes her one, if the sign-in still lets her.
func (h *Handler) makeCode(w http.ResponseWriter, r *http.Request, o owner) error {
	if _, err := h.accountCode(r, o); err != nil {
		return err
	}
	if err := h.newCode(r.Context(), o); err != nil {
		return err
	}
	return web.SeeOther(w, r, codePath)
}

func (h *Handler) newCode(ctx context.Context, o owner) error {
	return h.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, h.asActive)
		if err != nil {
			return err
		}
		return h.Evidence.MakeAccountCodeIn(ctx, tx, now.Person.ID, h.by(now))
	})
}
