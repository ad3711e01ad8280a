package password_test

import (
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/password"
)

// NIST SP 800-63B-4, Section 3.1.1.2.
func TestCheck(t *testing.T) {
	t.Parallel()
	about := []string{"656005750104", "Amara Chidinma", "Okafor", "amara.okafor@riverside.example", "Credence"}
	for _, tt := range []struct{ name, password, want string }{
		{"a phrase", "seven lapwings over wet stubble", ""},
		{"15 characters", "lapwings stubbl", ""},
		{"14 characters", "lapwings stubb", password.TooShort},
		{"15 characters of several bytes each", "ñandú über sløy", ""},
		{"14 characters that are more bytes", "ñandú über slø", password.TooShort},
		{"each code point counts as one", "🦜🐘🍋🎻🧭🪁🧶🎲🪵🥁🪴🛶🧊🪡🔭", ""},
		{"nothing", "", password.TooShort},
		{"64 characters", strings.Repeat("lapwing ", 3) + "stubble heron bittern avocet curlew sky!", ""},
		{"256 characters", long(256), ""},
		{"257 characters", long(257), password.TooLong},
		{"what becomes longer in its normal form", "seven lapwings " + strings.Repeat("ﷺ", 20), password.TooLong},
		{"more bytes than are looked at", strings.Repeat("lapwing over stubble ", 60), password.TooLong},
		{"no text", "seven lapwings \xff over", password.Unreadable},
		{"only small letters are as good", "lapwingsoverstubble", ""},
		{"only digits are as good", "849302758192837", ""},
		{"spaces and signs are as good", "  ~ { lapwings } ~  ", ""},
		{"a common word within a phrase does no harm", "my monkey cannot swim backwards", ""},
		{"one character again and again", strings.Repeat("x", 20), password.Repeated},
		{"four characters in any order", "abcdabdcacbdadbc", password.Repeated},
		{"a word several times", "heronheronheron", password.Repeated},
		{"a phrase twice", "wet stubblewet stubble", password.Repeated},
		{"the alphabet", "abcdefghijklmnop", password.Repeated},
		{"the digits and again", "123456789012345", password.Repeated},
		{"downwards", "9876543210zyxwvu", password.Repeated},
		{"the rows of a keyboard", "QwertyuiopAsdfghjkl", password.Repeated},
		{"the columns of a keyboard", "1qaz2wsx3edc4rfv", password.Repeated},
		{"a common word with digits", "password1234567", password.Common},
		{"a common word in signs", "P@$$w0rd!!!!!!!!2026", password.Common},
		{"two common words", "Liverpool-Football2026", password.Common},
		{"a common phrase", "Correct Horse Battery Staple", password.Common},
		{"what is asked for", "nationalhealthservice", password.Common},
		{"three common words are not so few", "dragon monkey sunshine", ""},
		{"her user id", "id 656005750104!", password.Personal},
		{"her name and a year", "Amara.Okafor.2026", password.Personal},
		{"her name, the service and a year", "credence-okafor-1999", password.Personal},
		{"her name within a phrase does no harm", "okafor saw seven lapwings", ""},
		{"full-width letters of a common word", "ｐａｓｓｗｏｒｄ１２３４５６７", password.Common},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := password.Check(tt.password, about...); got != tt.want {
				t.Errorf("Check(%q) = %q, want %q", tt.password, got, tt.want)
			}
		})
	}
}

// long is a password of so many characters.
func long(n int) string {
	return strings.Repeat("lapwing over wet stubble, heron beside a sluice; ", 6)[:n-1] + "."
}

// The same password, however it is written: composed or not, in full width or not.
func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, one, other string }{
		{"composed and decomposed", "ca\u00f1ada lapwings", "can\u0303ada lapwings"},
		{"full width and half", "ｌａｐｗｉｎｇｓ over", "lapwings over"},
		{"a space that does not break", "seven\u00a0lapwings", "seven lapwings"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			one, ok := password.Normalize(tt.one)
			other, too := password.Normalize(tt.other)
			if !ok || !too || one != other {
				t.Errorf("Normalize() = %q and %q, want the same", one, other)
			}
		})
	}
	for _, bad := range []string{"\xff", strings.Repeat("x", 1025)} {
		if got, ok := password.Normalize(bad); ok {
			t.Errorf("Normalize(%q) = %q, want none", bad, got)
		}
	}
	if one, _ := password.Normalize("Seven lapwings "); one != "Seven lapwings " {
		t.Errorf("Normalize() = %q, want letters and spaces as they were", one)
	}
}

// Whatever is entered, the rules have an answer.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"", "seven lapwings over wet stubble", "\xff", "ﷺﷺﷺ", strings.Repeat("qwerty", 9)} {
		f.Add(seed, "Amara")
	}
	f.Fuzz(func(t *testing.T, candidate, word string) {
		reason := password.Check(candidate, word)
		normal, ok := password.Normalize(candidate)
		if reason == "" && (!ok || len(normal) < password.Shortest) {
			t.Errorf("Check(%q) = %q, want a reason", candidate, reason)
		}
		if again, ok := password.Normalize(normal); ok && again != normal {
			t.Errorf("Normalize(%q) = %q, which is another when normalised again: %q", candidate, normal, again)
		}
	})
}
