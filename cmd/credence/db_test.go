package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credence-id/credence/store/localpg"
	"github.com/credence-id/credence/store/storetest"
)

func TestForLibpq(t *testing.T) {
	t.Parallel()
	const base = "postgres://credence_service:a%2Fb@db.example.org:5433/credence"
	for name, test := range map[string]struct{ query, want string }{
		"nothing is left as it is":               {"", ""},
		"what libpq knows stays":                 {"?sslmode=verify-full&host=%2Frun%2Fa+b&port=5433", "?host=%2Frun%2Fa%20b&port=5433&sslmode=verify-full"},
		"the pool's and pgx's own go":            {"?pool_max_conns=16&pool_max_conn_lifetime=1h&default_query_exec_mode=exec", ""},
		"the server's become options":            {"?statement_timeout=2000&lock_timeout=1s&sslmode=disable", "?options=-c%20lock_timeout%3D1s%20-c%20statement_timeout%3D2000&sslmode=disable"},
		"options that were given come first":     {"?lock_timeout=1s&options=-c+geqo%3Doff", "?options=-c%20geqo%3Doff%20-c%20lock_timeout%3D1s"},
		"what the server splits at, it is shown": {`?search_path=a,+b\c`, "?options=-c%20search_path%3Da%2C%5C%20b%5C%5Cc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := forLibpq(base + test.query); got != base+test.want {
				t.Errorf("forLibpq(%s) = %s, want %s", base+test.query, got, base+test.want)
			}
		})
	}
}

// What `credence db url` prints for a URL that the server takes, psql takes too, and the parameters of the server hold.
func TestDBURLOpensPSQL(t *testing.T) {
	t.Parallel()
	bin, err := localpg.FindBinaries(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	_, service := storetest.URLs(t)
	separator := "?"
	if strings.Contains(service, "?") {
		separator = "&"
	}
	service += separator + "pool_max_conns=16&default_query_exec_mode=exec&statement_timeout=7s&DateStyle=SQL,+DMY"
	credence := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "db", "url")
	credence.Env = append(credence.Environ(), "CREDENCE_DATABASE_URL="+service)
	printed, err := credence.Output()
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(string(printed))
	const ask = "SELECT current_user, current_setting('statement_timeout'), current_setting('DateStyle')"
	got, err := exec.CommandContext(t.Context(), filepath.Join(bin.Dir, "psql"), "-XAtc", ask, address).CombinedOutput()
	if want := "credence_service|7s|SQL, DMY\n"; err != nil || string(got) != want {
		t.Errorf("psql %s = %q, %v, want %q", address, got, err, want)
	}
}
