package account

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Data is what is held about a person, as she may have it. data.schema.json says what each member is; what is added later changes
// nothing of what is there.
type Data struct {
	Version        int                 `json:"version"`
	At             time.Time           `json:"at"`
	Person         DataPerson          `json:"person"`
	Memberships    []DataMembership    `json:"memberships"`
	Roles          []DataRole          `json:"roles"`
	Authenticators []DataAuthenticator `json:"authenticators"`
	Evidence       []DataEvidence      `json:"evidence"`
	Sessions       []DataSession       `json:"sessions"`
	Requests       []DataRequest       `json:"requests"`
	History        []DataEvent         `json:"history"`
}

// DataPerson is who she is on record.
type DataPerson struct {
	ID            string               `json:"user_id"`
	Title         string               `json:"title,omitempty"`
	GivenName     string               `json:"given_name"`
	MiddleNames   string               `json:"middle_names,omitempty"`
	FamilyName    string               `json:"family_name"`
	DisplayName   string               `json:"display_name"`
	DateOfBirth   string               `json:"date_of_birth,omitempty"` // YYYY-MM-DD
	Email         string               `json:"email,omitempty"`
	Language      string               `json:"language"` // of messages to her, as a BCP 47 tag
	IdentityLevel string               `json:"identity_level"`
	Registrations []store.Registration `json:"registrations"`
}

// DataMembership is an organisation that she belongs to.
type DataMembership struct {
	ID               string `json:"id"`
	OrganisationCode string `json:"organisation_code"`
	OrganisationName string `json:"organisation_name"`
}

// DataRole is a role that she has or is to have.
type DataRole struct {
	ID               string     `json:"id"`
	OrganisationCode string     `json:"organisation_code"`
	OrganisationName string     `json:"organisation_name"`
	JobRole          string     `json:"job_role"`
	JobRoleName      string     `json:"job_role_name"`
	Position         string     `json:"position,omitempty"`
	StartsAt         time.Time  `json:"starts_at"`
	EndsAt           *time.Time `json:"ends_at,omitempty"`
}

// DataAuthenticator is what she signs in with, or did, without its keys.
type DataAuthenticator struct {
	ID         uuid.UUID  `json:"id"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	Model      string     `json:"model,omitempty"`
	State      string     `json:"state"`
	AddedAt    time.Time  `json:"added_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	InactiveAt *time.Time `json:"inactive_at,omitempty"`
}

// DataEvidence is by what her identity is proved, in outline: of a number its end, of a check nothing.
type DataEvidence struct {
	Kind        string     `json:"kind"`
	Issuer      string     `json:"issuer,omitempty"`
	Number      string     `json:"number,omitempty"`
	RecordedAt  time.Time  `json:"recorded_at"`
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`
}

// DataSession is where she is signed in.
type DataSession struct {
	ID         uuid.UUID `json:"id"`
	Level      int       `json:"authenticator_level"`
	Methods    []string  `json:"methods"`
	BegunAt    time.Time `json:"begun_at"`
	SignedInAt time.Time `json:"signed_in_at"`
	EndsAt     time.Time `json:"ends_at"`
	Address    string    `json:"address,omitempty"`
}

// DataRequest is an open request that she be given a position, or lose it.
type DataRequest struct {
	ID               uuid.UUID  `json:"id"`
	Kind             string     `json:"kind"`
	Position         string     `json:"position"`
	OrganisationCode string     `json:"organisation_code"`
	Reason           string     `json:"reason"`
	AskedAt          time.Time  `json:"asked_at"`
	StartsAt         time.Time  `json:"starts_at"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty"`
}

// DataEvent is a line of her history.
type DataEvent struct {
	At        time.Time `json:"at"`
	Event     string    `json:"event"`
	Refusal   string    `json:"refusal,omitempty"`
	Address   string    `json:"address,omitempty"`
	Reference string    `json:"reference,omitempty"`
}

// What is in a download of each kind at most. It is written whole into memory.
const (
	mostDataRoles    = 1000
	mostDataRequests = 1000
	mostDataEvents   = 5000
)

// data says what a download has.
func (h *Handler) data(w http.ResponseWriter, r *http.Request, o owner) error {
	return h.Pages.Render(w, http.StatusOK, web.AccountData{Account: h.account(r, o), PostURL: r.URL.Path, MostLines: mostDataEvents})
}

// download answers with all that is held about her, as a file.
func (h *Handler) download(w http.ResponseWriter, r *http.Request, o owner) error {
	d, err := h.gather(r.Context(), o)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encode data of person %s: %w", o.Person.ID, err)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Disposition", `attachment; filename="credence-`+o.Person.ID+`.json"`)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(append(body, '\n')) // a browser that is gone needs no answer
	return nil
}

// gather reads all that is held about somebody, and records that she had it.
func (h *Handler) gather(ctx context.Context, o owner) (Data, error) {
	now, p := h.Now(), o.Person
	born, err := h.Store.DateOfBirth(ctx, p.ID)
	if err != nil {
		return Data{}, fmt.Errorf("read date of birth of person %s: %w", p.ID, err)
	}
	d := Data{
		Version: 1, At: now,
		Person: DataPerson{
			ID: p.ID, Title: p.Title, GivenName: p.GivenName, MiddleNames: p.MiddleNames, FamilyName: p.FamilyName, DisplayName: p.DisplayName, Email: p.Email, Language: string(web.LanguageNamed(p.Language)),
			IdentityLevel: p.IdentityLevel, Registrations: append([]store.Registration{}, p.Registrations...),
		},
		Memberships: []DataMembership{}, Roles: []DataRole{}, Authenticators: []DataAuthenticator{}, Evidence: []DataEvidence{}, Sessions: []DataSession{},
		Requests: []DataRequest{}, History: []DataEvent{},
	}
	if born != nil {
		d.Person.DateOfBirth = born.Format(time.DateOnly)
	}
	for _, m := range p.Memberships {
		d.Memberships = append(d.Memberships, DataMembership{m.ID, m.OrganisationCode, m.OrganisationName})
	}
	for _, add := range []func(context.Context, owner, *Data) error{h.addRoles, h.addAuthenticators, h.addEvidence, h.addSessions, h.addHistory} {
		if err := add(ctx, o, &d); err != nil {
			return Data{}, err
		}
	}
	e := h.by(o)
	e.Event = audit.DataDownloaded
	if err := audit.Record(ctx, h.Store, e); err != nil {
		return Data{}, fmt.Errorf("record download: %w", err)
	}
	return d, nil
}

func (h *Handler) addRoles(ctx context.Context, o owner, d *Data) error {
	roles, err := h.Store.PositionedRoles(ctx, o.Person.ID, store.Order{}, "", mostDataRoles, d.At)
	if err != nil {
		return fmt.Errorf("list roles of person %s: %w", o.Person.ID, err)
	}
	for _, r := range roles {
		d.Roles = append(d.Roles, DataRole{
			r.ID, r.OrganisationCode, r.OrganisationName, r.JobRole, h.Catalogue.JobRoleShortName(r.JobRole), r.PositionName, r.StartsAt.UTC(), utc(r.EndsAt),
		})
	}
	requests, err := h.Store.OpenRequestsFor(ctx, o.Person.ID, nil, mostDataRequests, d.At)
	if err != nil {
		return fmt.Errorf("list requests for person %s: %w", o.Person.ID, err)
	}
	for _, r := range requests {
		d.Requests = append(d.Requests, DataRequest{r.ID, r.Kind, r.PositionName, r.OrganisationCode, r.Reason, r.AskedAt.UTC(), r.StartsAt.UTC(), utc(r.ExpiresAt)})
	}
	return nil
}

func (h *Handler) addAuthenticators(ctx context.Context, o owner, d *Data) error {
	list, err := h.Store.Authenticators(ctx, o.Person.ID, true)
	if err != nil {
		return fmt.Errorf("list authenticators of person %s: %w", o.Person.ID, err)
	}
	for _, a := range list {
		model := h.WebAuthn.Judge(a, o.Person).Model
		d.Authenticators = append(d.Authenticators, DataAuthenticator{a.ID, a.Name, a.Kind, model, a.State, a.CreatedAt.UTC(), utc(a.LastUsedAt), utc(a.RevokedAt)})
	}
	return nil
}

// mostEvidence bounds the evidence in the data of one person.
const mostEvidence = 100

func (h *Handler) addEvidence(ctx context.Context, o owner, d *Data) error {
	pieces, err := h.Evidence.Of(ctx, o.Person.ID, uuid.Nil, mostEvidence)
	if err != nil {
		return fmt.Errorf("list evidence of person %s: %w", o.Person.ID, err)
	}
	for _, piece := range pieces {
		e := DataEvidence{Kind: assurance.KindWords(piece.Kind), Issuer: piece.Issuer, Number: piece.Number, RecordedAt: piece.RecordedAt}
		if piece.Withdrawn != nil {
			e.WithdrawnAt = &piece.Withdrawn.At
		}
		d.Evidence = append(d.Evidence, e)
	}
	return nil
}

func (h *Handler) addSessions(ctx context.Context, o owner, d *Data) error {
	list, err := h.sessionsOf(ctx, o)
	if err != nil {
		return err
	}
	for _, s := range list {
		d.Sessions = append(d.Sessions, DataSession{s.ID, s.AuthenticatorLevel, s.Methods, s.CreatedAt.UTC(), s.AuthenticatedAt.UTC(), s.ExpiresAt.UTC(), s.Address})
	}
	return nil
}

func (h *Handler) addHistory(ctx context.Context, o owner, d *Data) error {
	list, err := h.lines(ctx, o.Person.ID, "", store.Order{By: store.ByTime, Descending: true}, 0, mostDataEvents)
	if err != nil {
		return err
	}
	for _, e := range list {
		d.History = append(d.History, DataEvent{e.At.UTC(), e.Event, e.Refusal, addressOf(e, o), e.RequestID})
	}
	return nil
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}
