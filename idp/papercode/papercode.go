// Package papercode writes codes that people keep on paper, and reads them as people type them.
//
// A code is letters and digits of base 32 (RFC 4648, Section 6), so each of its characters is 5 bits, and none of them looks like
// another: it has no 0, 1 or 8.
package papercode

import (
	"crypto/rand"
	"slices"
	"strings"
)

// Longest is of how many characters a code is at most.
const Longest = 26

// New draws a code of a number of characters at random.
func New(size int) string { return rand.Text()[:size] }

// InGroups writes a code as people read it: ABCD-EFGH-IJ.
func InGroups(code string) string {
	var groups []string
	for group := range slices.Chunk([]byte(code), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}

// Parse reads a code of a number of characters as people type it: in letters of either case, with signs between the groups or
// without, and with the digits that look like letters and that no code has. It is not ok when it can be no code.
func Parse(text string, size int) (code string, ok bool) {
	if len(text) > 100 {
		return "", false
	}
	code = strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '\t':
			return -1
		case r == '0':
			return 'O'
		case r == '1':
			return 'I'
		case r == '8':
			return 'B'
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, text)
	strange := strings.ContainsFunc(code, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') })
	if strange || len(code) != size {
		return "", false
	}
	return code, true
}
