package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

func TestSession(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	want := store.LiveSession{Session: newSession(sessionID, ana), Standing: standingAna()}
	read := func(client string) {
		t.Helper()
		got, err := in.Session(ctx, hash("cookie"), client, now)
		must(t, err)
		same(t, "Session()", got, want)
	}
	read("")
	read(ward)
	must(t, in.TouchSession(ctx, sessionID, later.Add(time.Hour)))
	must(t, in.TouchSession(ctx, sessionID, later)) // never back
	want.IdleAt = later.Add(time.Hour)
	read("")
	must(t, in.ChooseRole(ctx, sessionID, nil, later))
	want.RoleID, want.RoleChosenAt = nil, &later
	read("")
	must(t, in.ChooseRole(ctx, sessionID, new(anaRole), now))
	want.RoleID, want.RoleChosenAt = new(anaRole), &now
	read("")
	want.ClientStands = false
	read("nobody")
	timedOut, err := in.TimedOutSession(ctx, hash("cookie"), later)
	must(t, err)
	want.ClientStands, want.RoleStands, want.Person.Roles = true, false, []store.Role{} // which ended too
	same(t, "TimedOutSession()", timedOut, want)
	is(t, "Session(after its absolute limit)", second(in.Session(ctx, hash("cookie"), "", later)), store.ErrNotFound)
}

func TestEndSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*installation) error{
		"one":              func(in *installation) error { return in.EndSession(t.Context(), sessionID, now) },
		"all of a person":  func(in *installation) error { return second(in.EndSessions(t.Context(), ana, now)) },
		"by disabling her": func(in *installation) error { return second(in.DisablePerson(t.Context(), ana, now)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			must(t, second(in.BeginSession(ctx, newSession(uuid.New(), ben), nil, hash("Ben's"), now)))
			must(t, end(in))
			must(t, in.EndSession(ctx, sessionID, later)) // stays as it was
			is(t, "Session(ended)", second(in.Session(ctx, hash("cookie"), "", now)), store.ErrNotFound)
			is(t, "TimedOutSession(ended)", second(in.TimedOutSession(ctx, hash("cookie"), now)), store.ErrNotFound)
			is(t, "Session(of somebody else)", second(in.Session(ctx, hash("Ben's"), "", now)), nil)
			is(t, "ChooseRole(in an ended session)", in.ChooseRole(ctx, sessionID, nil, now), store.ErrNotFound)
			must(t, in.TouchSession(ctx, sessionID, later.Add(time.Hour)))
			if got := value[time.Time](t, connect(t, in.ownerURL), `SELECT ended_at FROM session WHERE id = $1 AND idle_at = $2`, sessionID, later); !got.Equal(now) {
				t.Errorf("ended_at = %v, want %v", got, now)
			}
		})
	}
}

func TestBeginSession(t *testing.T) {
	t.Parallel()
	at := now.Add(time.Minute)
	id := uuid.New()
	for _, tt := range []struct {
		name   string
		change string // of the session that is there
		person string
		old    string // cookie that the browser had
		at     time.Time
		want   store.BegunSession
	}{
		{"the live session of the same person goes on", "", ana, "cookie", at, store.BegunSession{ID: sessionID, RoleID: new(anaRole), RoleChosenAt: &now}},
		{
			"and takes the role when none was chosen", `UPDATE session SET role_id = NULL, role_chosen_at = NULL`, ana, "cookie", at,
			store.BegunSession{ID: sessionID, RoleID: new(benRole), RoleChosenAt: &at},
		},
		{"a browser without a session gets one", "", ana, "", at, store.BegunSession{ID: id, RoleID: new(benRole), RoleChosenAt: &at}},
		{"an unknown cookie is none", "", ana, "unknown", at, store.BegunSession{ID: id, RoleID: new(benRole), RoleChosenAt: &at}},
		{
			"the session of another person ends", "", ben, "cookie", at,
			store.BegunSession{ID: id, RoleID: new(benRole), RoleChosenAt: &at, EndedID: &sessionID, EndedPersonID: new(ana)},
		},
		{
			"a session that timed out goes on, and the role is chosen anew", "", ana, "cookie", later,
			store.BegunSession{ID: sessionID, RoleID: new(benRole), RoleChosenAt: &at},
		},
		{
			"a session that ended does not go on", `UPDATE session SET ended_at = created_at`, ana, "cookie", at,
			store.BegunSession{ID: id, RoleID: new(benRole), RoleChosenAt: &at},
		},
		{
			"a session of another person that ended does not end again", `UPDATE session SET ended_at = created_at`, ben, "cookie", at,
			store.BegunSession{ID: id, RoleID: new(benRole), RoleChosenAt: &at},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			exec(t, connect(t, in.ownerURL), tt.change)
			s := store.Session{
				ID: id, PersonID: tt.person, AuthenticatorLevel: 1, Methods: []string{"pwd", "simulated"}, AuthenticatedAt: at,
				RoleID: new(benRole), RoleChosenAt: &at, IdleAt: later.Add(time.Hour), ExpiresAt: later.Add(2 * time.Hour),
			}
			var old []byte
			if tt.old != "" {
				old = hash(tt.old)
			}
			got, err := in.BeginSession(ctx, s, old, hash("new"), tt.at)
			must(t, err)
			same(t, "BeginSession()", got, tt.want)

			live, err := in.Session(ctx, hash("new"), "", tt.at)
			must(t, err)
			s.ID, s.RoleID, s.RoleChosenAt = got.ID, got.RoleID, got.RoleChosenAt
			same(t, "Session()", live.Session, s)
			goesOn := tt.old != "cookie" // what was in the browser is worth nothing now
			if _, err := in.Session(ctx, hash("cookie"), "", tt.at); (err == nil) != goesOn {
				t.Errorf("Session(of the old cookie) = %v, want it live %t", err, goesOn)
			}
		})
	}
}

func TestEndSessions(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for _, want := range [][]uuid.UUID{{sessionID}, {}} { // one that ended does not end again
		got, err := in.EndSessions(ctx, ana, now)
		must(t, err)
		same(t, "EndSessions()", got, want)
	}
}
