package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const sessionsPath = "/account/sessions"

// mostSessions bounds the sessions that are shown of one person.
const mostSessions = 100

func (h *Handler) sessionsOf(ctx context.Context, o owner) ([]store.OwnSession, error) {
	list, err := h.Store.SessionsOf(ctx, o.Person.ID, newestFirst(), uuid.Nil, mostSessions, h.Now())
	if err != nil {
		return nil, fmt.Errorf("list sessions of person %s: %w", o.Person.ID, err)
	}
	return list, nil
}

// sessions lists where she is signed in.
func (h *Handler) sessions(w http.ResponseWriter, r *http.Request, o owner) error {
	order, sorting := h.inTime(r, newestFirst())
	list, err := h.Store.SessionsOf(r.Context(), o.Person.ID, order, afterUUID(r), linesPerPage+1, h.Now())
	if err != nil {
		return fmt.Errorf("list sessions of person %s: %w", o.Person.ID, err)
	}
	page := web.AccountSessions{Account: h.account(r, o), Sorting: sorting, URL: sessionsPath}
	if len(list) > linesPerPage {
		list = list[:linesPerPage]
		page.NextURL = onward(r, list[linesPerPage-1].ID.String())
	}
	for _, s := range list {
		page.Sessions = append(page.Sessions, ownSession(h.words(r), s, o))
	}
	if len(list) > 1 || afterUUID(r) != uuid.Nil {
		page.EndOthersURL = sessionsPath + "/end"
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// ownSession is a session as she is shown it. When it was last used follows from when it ends if it is not used; near its end in any
// case that is not known so well, and less is said.
func ownSession(words web.Words, s store.OwnSession, o owner) web.OwnSession {
	level := assurance.AuthenticatorLevel(s.AuthenticatorLevel)
	shown := web.OwnSession{
		ID: s.ID.String(), Method: registration.MethodWords(words, s.Methods), Level: level.String(), Address: s.Address, BegunAt: s.CreatedAt, SignedInAt: s.AuthenticatedAt,
		LastSeenAt: s.IdleAt.Add(-level.IdleLimit()), EndsAt: s.IdleAt, Current: s.ID == o.ID,
	}
	if shown.LastSeenAt.Before(s.AuthenticatedAt) {
		shown.LastSeenAt = s.AuthenticatedAt
	}
	if !shown.Current {
		shown.EndURL = sessionsPath + "/" + shown.ID + "/end"
	}
	return shown
}

// endingOne asks whether a session is to be ended.
func (h *Handler) endingOne(w http.ResponseWriter, r *http.Request, o owner) error {
	list, err := h.sessionsOf(r.Context(), o)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(s store.OwnSession) bool { return s.ID == id(r) })
	if i < 0 {
		return fmt.Errorf("session %s %w", id(r), directory.ErrUnknown)
	}
	shown := ownSession(h.words(r), list[i], o)
	return h.Pages.Render(w, http.StatusOK, web.AccountEnd{Account: h.account(r, o), PostURL: r.URL.Path, ListURL: sessionsPath, Session: &shown})
}

// endingOthers asks whether all sessions but this one are to be ended.
func (h *Handler) endingOthers(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.Pages.Render(w, http.StatusOK, web.AccountEnd{Account: h.account(r, o), PostURL: r.URL.Path, ListURL: sessionsPath})
}

// endOne ends a session.
func (h *Handler) endOne(w http.ResponseWriter, r *http.Request, o owner) error {
	ended := id(r)
	err := h.end(r.Context(), o, func(ctx context.Context, tx *store.Tx, now owner) ([]uuid.UUID, error) {
		return []uuid.UUID{ended}, tx.EndSessionOf(ctx, now.Person.ID, ended, h.Now())
	})
	if errors.Is(err, store.ErrNotFound) {
		e := h.by(o)
		e.Event, e.Detail = audit.SessionEnded, map[string]string{"ended": ended.String()}
		return h.refuse(r.Context(), e, "session_unknown", fmt.Errorf("session %s %w", ended, directory.ErrUnknown))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, sessionsPath)
}

// endOthers ends every session but this one.
func (h *Handler) endOthers(w http.ResponseWriter, r *http.Request, o owner) error {
	err := h.end(r.Context(), o, func(ctx context.Context, tx *store.Tx, now owner) ([]uuid.UUID, error) {
		return tx.EndOtherSessions(ctx, now.Person.ID, now.ID, h.Now())
	})
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, sessionsPath)
}

// end ends sessions of hers, and records which.
func (h *Handler) end(ctx context.Context, o owner, do func(context.Context, *store.Tx, owner) ([]uuid.UUID, error)) error {
	return h.Store.InTx(ctx, func(tx *store.Tx) error {
		now, err := h.again(ctx, tx, o, h.asActive)
		if err != nil {
			return err
		}
		ended, err := do(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("end sessions of person %s: %w", o.Person.ID, err)
		}
		return audit.RecordEnds(ctx, tx, audit.Entry{At: h.Now(), Person: now.Person.ID}, "ended from another session", ended...)
	})
}
