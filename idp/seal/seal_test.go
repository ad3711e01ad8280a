package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/seal"
)

const (
	text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	old  = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	last = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
)

func parse(tb testing.TB, text string) seal.Key {
	tb.Helper()
	k, err := seal.ParseKey(text)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"64 digits", text, true},
		{"a newline at the end", text + "\n", true},
		{"spaces around", " \t" + text + "\r\n", true},
		{"upper-case digits", strings.ToUpper(text), true},
		{"nothing", "", false},
		{"a digit too few", text[1:], false},
		{"a byte too few", text[2:], false},
		{"a byte too many", text + "00", false},
		{"a space inside", text[:32] + " " + text[32:], false},
		{"a letter that is no digit", text[:63] + "g", false},
		{"a second line", text + "\n" + old + "\n", true},
		{"lines of another system", text + "\r\n" + old + "\r\n", true},
		{"three lines", text + "\n" + old + "\n" + last, true},
		{"four lines", text + "\n" + old + "\n" + last + "\n" + strings.Repeat("ab", 32), false},
		{"a line twice", text + "\n" + old + "\n" + text, false},
		{"a line twice in other letters", text + "\n" + old + "\n" + strings.ToUpper(text), false},
		{"an empty line between", text + "\n\n" + old, false},
		{"two on one line", text + " " + old, false},
		{"a comment", text + "\n# the old one", false},
		{"a second line that is too short", text + "\n" + old[2:], false},
		{"base64", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := seal.ParseKey(tt.text)
			if (err == nil) != tt.ok {
				t.Fatalf("ParseKey(%q) = %v, want ok %t", tt.text, err, tt.ok)
			}
			if !tt.ok {
				if k != (seal.Key{}) || len(tt.text) > 8 && strings.Contains(err.Error(), tt.text[:8]) {
					t.Errorf("ParseKey(%q) = %v, %v, want no key and an error without it", tt.text, k, err)
				}
				return
			}
			if want := parse(t, text).MAC("p", nil); !bytes.Equal(k.MAC("p", nil), want) {
				t.Error("ParseKey() = another key, want the same")
			}
		})
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	a, textA := seal.NewKey()
	_, textB := seal.NewKey()
	if textA == textB || len(textA) != 64 {
		t.Errorf("NewKey() = %d digits, the same again %t, want 64 others", len(textA), textA == textB)
	}
	if !bytes.Equal(parse(t, textA).MAC("p", nil), a.MAC("p", nil)) {
		t.Error("ParseKey(text of NewKey) = another key, want the same")
	}
}

func TestBox(t *testing.T) {
	t.Parallel()
	k := parse(t, text)
	box, value, bound := k.Box("one"), []byte("value"), []byte("browser")
	sealed := box.Seal(value, bound)
	if got, err := box.Open(sealed, bound); err != nil || !bytes.Equal(got, value) {
		t.Errorf("Open() = %q, %v, want %q", got, err, value)
	}
	if bytes.Equal(sealed, box.Seal(value, bound)) {
		t.Error("Seal() twice = the same, want another nonce")
	}
	other, _ := seal.NewKey()
	for name, open := range map[string]func() ([]byte, error){
		"another purpose":         func() ([]byte, error) { return k.Box("two").Open(sealed, bound) },
		"a purpose it begins":     func() ([]byte, error) { return k.Box("one ").Open(sealed, bound) },
		"no purpose":              func() ([]byte, error) { return k.Box("").Open(sealed, bound) },
		"another key":             func() ([]byte, error) { return other.Box("one").Open(sealed, bound) },
		"another bound":           func() ([]byte, error) { return box.Open(sealed, []byte("browseR")) },
		"no bound":                func() ([]byte, error) { return box.Open(sealed, nil) },
		"more than the bound":     func() ([]byte, error) { return box.Open(sealed, []byte("browser ")) },
		"more than was sealed":    func() ([]byte, error) { return box.Open(append(bytes.Clone(sealed), 0), bound) },
		"the value put before it": func() ([]byte, error) { return box.Open(append([]byte{0}, sealed...), bound) },
	} {
		if got, err := open(); !errors.Is(err, seal.ErrSeal) || got != nil {
			t.Errorf("Open(with %s) = %q, %v, want %v", name, got, err, seal.ErrSeal)
		}
	}
	for bit := range len(sealed) * 8 {
		flipped := bytes.Clone(sealed)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := box.Open(flipped, bound); !errors.Is(err, seal.ErrSeal) {
			t.Errorf("Open(bit %d flipped) = %v, want %v", bit, err, seal.ErrSeal)
		}
	}
	for n := range sealed {
		if _, err := box.Open(sealed[:n], bound); !errors.Is(err, seal.ErrSeal) {
			t.Errorf("Open(the first %d bytes) = %v, want %v", n, err, seal.ErrSeal)
		}
	}
	if got, err := box.Open(box.Seal(nil, nil), nil); err != nil || len(got) != 0 {
		t.Errorf("Open(nothing) = %q, %v, want nothing", got, err)
	}
}

// A rotation as an operator makes it: at each step the file before and the file after are in use at the same time, and
// each opens what the other seals.
func TestKeyOfSeveralLines(t *testing.T) {
	t.Parallel()
	value, bound := []byte("value"), []byte("browser")
	steps := []string{old, old + "\n" + text, text + "\n" + old, text}
	for i := range steps[1:] {
		before, after := parse(t, steps[i]).Box("one"), parse(t, steps[i+1]).Box("one")
		for name, open := range map[string]func() ([]byte, error){
			"before opens after": func() ([]byte, error) { return before.Open(after.Seal(value, bound), bound) },
			"after opens before": func() ([]byte, error) {
				sealed, err := before.Reseal(before.Seal(value, bound), bound)
				if err != nil {
					return nil, err
				}
				return after.Open(sealed, bound)
			},
		} {
			if got, err := open(); err != nil || !bytes.Equal(got, value) {
				t.Errorf("step %d, %s = %q, %v, want %q", i+1, name, got, err, value)
			}
		}
	}
	both, first, second := parse(t, text+"\n"+old), parse(t, text), parse(t, old)
	byFirst, bySecond := first.Box("one").Seal(value, bound), second.Box("one").Seal(value, bound)
	if got, err := both.Box("one").Reseal(byFirst, bound); err != nil || !bytes.Equal(got, byFirst) {
		t.Errorf("Reseal(what the first line sealed) = %x, %v, want it as it was", got, err)
	}
	anew, err := both.Box("one").Reseal(bySecond, bound)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := first.Box("one").Open(anew, bound); err != nil || !bytes.Equal(got, value) {
		t.Errorf("Open(what was sealed anew, with the first line alone) = %q, %v, want %q", got, err, value)
	}
	for name, open := range map[string]func() ([]byte, error){
		"what was sealed anew, with the second line alone": func() ([]byte, error) { return second.Box("one").Open(anew, bound) },
		"the second line's for another purpose":            func() ([]byte, error) { return both.Box("two").Open(bySecond, bound) },
		"the second line's for another browser":            func() ([]byte, error) { return both.Box("one").Open(bySecond, []byte("another")) },
		"sealed anew for another browser":                  func() ([]byte, error) { return both.Box("one").Reseal(bySecond, []byte("another")) },
		"a stranger's, sealed anew": func() ([]byte, error) {
			return both.Box("one").Reseal(parse(t, last).Box("one").Seal(value, bound), bound)
		},
	} {
		if got, err := open(); !errors.Is(err, seal.ErrSeal) || got != nil {
			t.Errorf("Open(%s) = %q, %v, want %v", name, got, err, seal.ErrSeal)
		}
	}
	if !bytes.Equal(both.MAC("p", nil), first.MAC("p", nil)) || bytes.Equal(both.MAC("p", nil), second.MAC("p", nil)) {
		t.Error("MAC() of two lines is not that of the first, want it")
	}
	if got, want := both.MACs("p", nil), [][]byte{first.MAC("p", nil), second.MAC("p", nil)}; !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("MACs() of two lines = %x, want that of each, in their order: %x", got, want)
	}
}

type state struct {
	A string
	B int
}

func TestJSON(t *testing.T) {
	t.Parallel()
	box := parse(t, text).Box("state")
	want := state{"a", 1}
	sealed, err := box.SealJSON(want, []byte("browser"))
	if err != nil {
		t.Fatal(err)
	}
	var got state
	if err := box.OpenJSON(sealed, []byte("browser"), &got); err != nil || got != want {
		t.Errorf("OpenJSON() = %v, %v, want %v", got, err, want)
	}
	if strings.Trim(sealed, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("SealJSON() = %q, want text that fits a URL", sealed)
	}
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range sealed {
		for _, digit := range digits { // no other text stands for the same bytes
			changed := sealed[:i] + string(digit) + sealed[i+1:]
			if err := box.OpenJSON(changed, []byte("browser"), &got); (err == nil) != (changed == sealed) {
				t.Fatalf("OpenJSON(digit %d changed to %c) = %v, want %v", i, digit, err, seal.ErrSeal)
			}
		}
		if err := box.OpenJSON(sealed[:i], []byte("browser"), &got); !errors.Is(err, seal.ErrSeal) {
			t.Errorf("OpenJSON(the first %d digits) = %v, want %v", i, err, seal.ErrSeal)
		}
	}
	var other []string // of another version of the program
	for name, err := range map[string]error{
		"into another type": box.OpenJSON(sealed, []byte("browser"), &other),
		"another bound":     box.OpenJSON(sealed, []byte("another"), &got),
		"padding":           box.OpenJSON(sealed+"=", []byte("browser"), &got),
		"no base64":         box.OpenJSON("a b", nil, &got),
		"nothing":           box.OpenJSON("", nil, &got),
	} {
		if !errors.Is(err, seal.ErrSeal) {
			t.Errorf("OpenJSON(%s) = %v, want %v", name, err, seal.ErrSeal)
		}
	}
	if _, err := box.SealJSON(make(chan int), nil); err == nil {
		t.Error("SealJSON(what does not marshal) = nil, want an error")
	}
}

func TestMAC(t *testing.T) {
	t.Parallel()
	k := parse(t, text)
	mac := k.MAC("purpose", []byte("value"))
	// HMAC-SHA-256 under HKDF-SHA-256 (RFC 5869) of the key, without a salt, for "credence mac purpose". Kept by others: it must not change.
	if got, want := hex.EncodeToString(mac), "5b993c65a9464982e3e33ce5f120d032c345f4cc9a0ca910453e2476a5291cbb"; got != want {
		t.Errorf("MAC() = %s, want %s", got, want)
	}
	other, _ := seal.NewKey()
	for name, got := range map[string][]byte{
		"another purpose":       k.MAC("purposes", []byte("value")),
		"another value":         k.MAC("purpose", []byte("valuf")),
		"the border moved":      k.MAC("purposev", []byte("alue")),
		"another key":           other.MAC("purpose", []byte("value")),
		"what a box would give": k.MAC("seal purpose", []byte("value")),
	} {
		if bytes.Equal(got, mac) {
			t.Errorf("MAC(%s) = the same, want another", name)
		}
	}
}

// The key shows nowhere, however carelessly it is printed and whatever it is part of.
func TestKeyHides(t *testing.T) {
	t.Parallel()
	k := parse(t, text+"\n"+text[32:]+text[:32])
	type config struct {
		Key    seal.Key
		hidden seal.Key // fmt does not call the methods of unexported fields
		box    seal.Box
		keys   map[string]seal.Key
	}
	verbs := []string{"%v", "%+v", "%#v", "%d", "%x", "%X", "%08b"}
	var out strings.Builder
	for _, verb := range []string{"%s", "%q", "%t", "%c", "%p"} {
		fmt.Fprintf(&out, verb+verb+"\n", k, []seal.Key{k})
	}
	for _, v := range []any{k, &k, config{k, k, k.Box("p"), map[string]seal.Key{"k": k}}, []seal.Key{k}, fmt.Errorf("wrapped: %v", k)} {
		for _, verb := range verbs {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(h).InfoContext(t.Context(), "message", slog.Any("key", v))
		}
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{
		text[2:16], strings.ToUpper(text[20:32]), "1 2 3 4 5", "1, 2, 3, 4", "0x1, 0x2, 0x3", "00000001 00000010 00000011",
		string(raw[1:5]), base64.StdEncoding.EncodeToString(raw)[4:12], `\x01\x02\x03`,
	} {
		if strings.Contains(out.String(), form) {
			t.Errorf("printed keys contain %q, want nothing of the key in\n%s", form, out.String())
		}
	}
}

// What is accepted is one to three different lines of 64 digits, of which the first seals; an error repeats nothing of it.
func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{text, text + "\n", text + "\r\n" + old, text + "\n" + old + "\n" + last, text + "\n" + text, text + "\n\n" + old, "", "\n", text[1:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := seal.ParseKey(s)
		lines := strings.Split(strings.TrimSpace(s), "\n")
		if err != nil {
			if first := strings.TrimSpace(lines[0]); len(first) >= 64 && strings.Contains(err.Error(), first) || k != (seal.Key{}) {
				t.Errorf("ParseKey(%q) = %v, %v, want no key and an error without it", s, k, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, line := range lines {
			line = strings.ToLower(strings.TrimSpace(line))
			if got, err := k.Box("p").Open(parse(t, line).Box("p").Seal([]byte("v"), nil), nil); seen[line] || err != nil || string(got) != "v" {
				t.Errorf("ParseKey(%q) has line %q twice (%t) or does not open what it sealed: %v", s, line, seen[line], err)
			}
			seen[line] = true
		}
		if sealed, err := parse(t, strings.TrimSpace(lines[0])).Box("p").Open(k.Box("p").Seal([]byte("v"), nil), nil); len(lines) > 3 || err != nil || string(sealed) != "v" {
			t.Errorf("ParseKey(%q) does not seal under the first of %d lines, want at most 3: %v", s, len(lines), err)
		}
	})
}

func FuzzOpenJSON(f *testing.F) {
	box := parse(f, text).Box("state")
	bound := []byte("browser")
	const sealed = "_TTPFcc-o9GbQ5pHfdLl36mMEV62pY5zd3dNdRgYgs6S2Zy7IE0RWNbA9N92ZSkLp0lU1-fSBw" // state{"a", 1}, sealed once
	for _, seed := range []string{sealed, sealed[1:], sealed + "A", sealed + "\n", "", "!", strings.Repeat("A", 80)} {
		f.Add(seed, bound)
	}
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		var got state
		err := box.OpenJSON(s, b, &got)
		ours := bytes.Equal(b, bound) && strings.NewReplacer("\r", "", "\n", "").Replace(s) == sealed
		if ours != (err == nil) || err != nil && !errors.Is(err, seal.ErrSeal) {
			t.Errorf("OpenJSON(%q, %q) = %v, want %v unless we sealed it", s, b, err, seal.ErrSeal)
		}
	})
}
