package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store"
)

// waiting runs a statement that has to wait for a lock, and returns once it does. The result comes when the lock is gone.
func waiting(t *testing.T, conn *pgx.Conn, sql string, args ...any) <-chan error {
	t.Helper()
	done, watcher := make(chan error, 1), connect(t, conn.Config().ConnString())
	go func() {
		_, err := conn.Exec(t.Context(), sql, args...)
		done <- err
	}()
	eventually(t, "wait of: "+sql, func() bool {
		return value[bool](t, watcher, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')`, conn.PgConn().PID())
	})
	return done
}

// seenAnew fails when a replica that was there all the time sees another person than one that has just started.
func (in *installation) seenAnew(t *testing.T, replica *store.Store, person string) {
	t.Helper()
	want, err := open(t, in.serviceURL, nil).Person(t.Context(), person, now)
	must(t, err)
	got, err := replica.Person(t.Context(), person, now)
	must(t, err)
	same(t, "Person()", got, want)
}

// Of two changes at the same moment, of which each alone would be noticed, both are.
func TestRecordAfterTwoChangesAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("a membership moves to somebody while its role ends", func(t *testing.T) {
		t.Parallel()
		in, ctx := newInstallation(t), t.Context()
		replica, moves, ends := open(t, in.serviceURL, nil), connect(t, in.ownerURL), connect(t, in.ownerURL)
		exec(t, moves, `DELETE FROM role_profile WHERE membership_id = '`+benMembership+`'`)
		exec(t, moves, `DELETE FROM membership WHERE id = '`+benMembership+`'`)
		exec(t, moves, `BEGIN`)
		exec(t, moves, `UPDATE membership SET person_id = $1 WHERE id = $2`, ben, anaMembership)
		exec(t, ends, `BEGIN`)
		ended := waiting(t, ends, `UPDATE role_profile SET ends_at = starts_at WHERE id = $1`, anaRole)
		exec(t, moves, `COMMIT`)
		must(t, <-ended)
		must(t, second(replica.Person(ctx, ben, now)))
		exec(t, ends, `COMMIT`)
		in.seenAnew(t, replica, ben)
	})
	t.Run("an organisation gets another name while somebody joins it", func(t *testing.T) {
		t.Parallel()
		in, ctx := newInstallation(t), t.Context()
		replica, joins, renames := open(t, in.serviceURL, nil), connect(t, in.ownerURL), connect(t, in.ownerURL)
		must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RYY01", Name: "Lakeside"}, now))
		exec(t, joins, `BEGIN`)
		exec(t, joins, `INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('200000000009', $1, 'RYY01', $2)`, ana, now)
		exec(t, renames, `BEGIN`)
		renamed := waiting(t, renames, `UPDATE organisation SET name = 'Seaside' WHERE code = 'RYY01'`)
		exec(t, joins, `COMMIT`)
		must(t, <-renamed)
		must(t, second(replica.Person(ctx, ana, now)))
		exec(t, renames, `COMMIT`)
		in.seenAnew(t, replica, ana)
	})
}

// What would change records and let no trigger know is refused, or lets it know all the same.
func TestNothingPassesTheVersionBy(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	replica, owner := open(t, in.serviceURL, nil), connect(t, in.ownerURL)
	for _, table := range []string{"person", "professional_registration", "membership", "role_profile", "authenticator", "organisation", "workgroup"} {
		_, err := owner.Exec(t.Context(), `TRUNCATE `+table+` CASCADE`)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "P0001" {
			t.Errorf("TRUNCATE %s = %v, want it refused", table, err)
		}
		if n := value[int](t, owner, `SELECT count(*)::int FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal AND tgenabled <> 'A'`, table); n != 0 {
			t.Errorf("%d triggers of %s can be switched off by session_replication_role, want none", n, table)
		}
	}
	must(t, second(replica.Person(t.Context(), ana, now)))
	exec(t, owner, `ALTER TABLE role_profile DISABLE TRIGGER role_profile_in_position`) // by hand it is of no position
	exec(t, owner, `UPDATE role_profile SET workgroups = '{400000000009}'`)
	must(t, second(replica.Person(t.Context(), ana, now)))
	exec(t, owner, `INSERT INTO workgroup (id, name) VALUES ('400000000009', 'Late team')`)
	in.seenAnew(t, replica, ana)
	exec(t, owner, `DELETE FROM workgroup WHERE id = '400000000009'`)
	in.seenAnew(t, replica, ana)
	if _, err := owner.Exec(t.Context(), `UPDATE role_profile SET ends_at = 'infinity'`); err == nil {
		t.Error("a role that ends at infinity = no error, want it refused: nobody could read the record")
	}
}

// A replica that stayed while the migration was taken back and applied again knows nothing from before.
func TestRecordAfterTheMigrationCameAgain(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, second(in.Person(ctx, ana, now)))
	for range 2 { // the second time, the version of the rows from before is that of a migration
		schema, err := in.Schema(ctx)
		must(t, err)
		must(t, store.MigrateDown(ctx, in.ownerURL, schema.Version-11)) // to the one before versions of people
		exec(t, connect(t, in.ownerURL), `UPDATE person SET disabled_at = CASE WHEN disabled_at IS NULL THEN created_at END`)
		must(t, store.MigrateUp(ctx, in.ownerURL+"&pool_max_conns=4")) // a setting that only the pool knows
		in.seenAnew(t, in.Store, ana)
	}
}

// However many roles somebody will have, those of now are read.
func TestManyRolesToCome(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	exec(t, connect(t, in.ownerURL), fmt.Sprintf(`
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at)
		SELECT to_char(200000000000 + n, 'FM000000000000'), '%s', 'S8000:G8000:R8000', '{}', '{}', '{}', $1, $1 FROM generate_series(1, 300) n`, anaMembership), later)
	got, err := in.Grant(t.Context(), grantID, now)
	must(t, err)
	same(t, "Grant().Standing", got.Standing, standingAna())
}

// A client that has grants and a person who has sessions are disabled, not deleted: whoever got the id next would have them.
func TestWhoHasGrantsOrSessionsIsNotDeleted(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	must(t, in.AddClient(t.Context(), newClient("unused")))
	must(t, in.AddPerson(t.Context(), newPerson("100000000099"), now))
	for unused, used := range map[string]string{
		`DELETE FROM client WHERE id = 'unused'`: `DELETE FROM client WHERE id = '` + ward + `'`,
		`DELETE FROM professional_registration; DELETE FROM person WHERE id = '100000000099'`: `
			ALTER TABLE membership DROP CONSTRAINT membership_person_id_fkey;
			ALTER TABLE authenticator DROP CONSTRAINT authenticator_person_id_fkey;
			DELETE FROM enrolment_link; DELETE FROM person WHERE id = '` + ana + `'`,
	} {
		exec(t, owner, unused)
		_, err := owner.Exec(t.Context(), used)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "23503" || !strings.Contains(pg.Message, " has ") {
			t.Errorf("%s = %v, want it refused", used, err)
		}
	}
}
