package localpg

import (
	"strconv"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		out  string
		want int
		ok   bool
	}{
		{"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15, true},
		{"postgres (PostgreSQL) 19beta1\n", 19, true},
		{"postgres (PostgreSQL) 18", 18, true},
		{"postgres (PostgreSQL) devel", 0, false},
		{"postgres (EnterpriseDB) 15.1", 0, false},
		{"", 0, false},
	} {
		got, ok := parseVersion(tt.out)
		if got != tt.want || ok != tt.ok {
			t.Errorf("parseVersion(%q) = %v, %v, want %v, %v", tt.out, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n")
	f.Add("postgres (PostgreSQL) 19beta1\n")
	f.Fuzz(func(t *testing.T, out string) {
		major, ok := parseVersion(out)
		if ok && (major <= 0 || !strings.Contains(out, strconv.Itoa(major))) {
			t.Errorf("parseVersion(%q) = %v, want a number that is in it", out, major)
		}
	})
}

func TestParsePostmaster(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       postmaster
	}{
		{"a ready server", "42\n/d\n1\n5432\n/s\n\n  1 2\nready   \n", postmaster{pid: 42, ready: true}},
		{"a starting server", "42\n/d\n1\n5432\n/s\n\n  1 2\nstarting\n", postmaster{pid: 42}},
		{"a file being written", "42\n/d\n", postmaster{pid: 42}},
		{"an empty file", "", postmaster{}},
		{"a process group", "-42\n", postmaster{}},
		{"every process", "-1\n", postmaster{}},
		{"more than a process id", "4294967338\n", postmaster{}},
		{"noise", "\x00\xff", postmaster{}},
	} {
		if got := parsePostmaster([]byte(tt.text)); got != tt.want {
			t.Errorf("%s: parsePostmaster(%q) = %v, want %v", tt.name, tt.text, got, tt.want)
		}
	}
}

func FuzzParsePostmaster(f *testing.F) {
	f.Add([]byte("42\n/d\n1\n5432\n/s\n\n  1 2\nready   \n"))
	f.Add([]byte("-1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p := parsePostmaster(b); p.pid < 0 || p.ready && p.pid == 0 {
			t.Errorf("parsePostmaster(%q) = %v, want a process id above 0", b, p)
		}
	})
}
