package directory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// LargestCodes bounds a file of codes, in bytes.
	LargestCodes = 4 << 20
	// mostCodes bounds the codes of one kind.
	mostCodes = 20000
	// mostMistakes is how many mistakes of a file are told.
	mostMistakes = 20
)

// columns are the first titles of a file of codes of a kind, by which it is known. Columns after those are for whoever edits it.
func (k CodeKind) columns() []string {
	return map[CodeKind][]string{
		JobRole: {"code", "staff_group", "sub_group", "role"}, Activity: {"code", "name"}, AreaOfWork: {"code", "speciality", "sub_speciality", "area"},
	}[k]
}

func (k CodeKind) form() *regexp.Regexp {
	return map[CodeKind]*regexp.Regexp{JobRole: jobRoleForm, Activity: activityForm, AreaOfWork: areaOfWorkForm}[k]
}

// ParseCodes reads a file of codes of one kind, which its titles say: CSV (RFC 4180) in UTF-8, with or without a byte order mark,
// and lines that begin with # are passed over. Each code is there once. All mistakes are told together, up to some, each with
// its line. The codes are returned in order.
func ParseCodes(data []byte) (CodeKind, []Entry, error) {
	if len(data) > LargestCodes {
		return "", nil, fmt.Errorf("it has more than %d bytes", LargestCodes)
	}
	if !utf8.Valid(data) {
		return "", nil, errors.New("it is not in UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.Comment, r.FieldsPerRecord = '#', -1 // -1: whether the rows have the columns is said with all else that is wrong
	titles, err := r.Read()
	if errors.Is(err, io.EOF) {
		return "", nil, errors.New("it is empty")
	}
	if err != nil {
		return "", nil, err
	}
	i := slices.IndexFunc(CodeKinds(), func(k CodeKind) bool {
		return len(titles) >= len(k.columns()) && slices.Equal(titles[:len(k.columns())], k.columns())
	})
	if i < 0 {
		return "", nil, fmt.Errorf("its titles are %.100q: want those of job roles, activities or areas of work, such as %q", titles, JobRole.columns())
	}
	kind := CodeKinds()[i]
	var entries []Entry
	var wrong []error
	at := make(map[string]int) // the line of each code
	for len(wrong) < mostMistakes && len(entries) <= mostCodes {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // what follows cannot be told apart
			wrong = append(wrong, err)
			break
		}
		line, _ := r.FieldPos(0)
		if err := kind.checkRow(row, len(titles)); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		if first, twice := at[row[0]]; twice {
			wrong = append(wrong, fmt.Errorf("line %d: %s is on line %d already", line, row[0], first))
			continue
		}
		at[row[0]] = line
		entries = append(entries, newEntry(row[0], row[1:len(kind.columns())], false))
	}
	switch {
	case len(wrong) > 0:
		return "", nil, errors.Join(wrong...)
	case len(entries) == 0:
		return "", nil, errors.New("it has no codes")
	case len(entries) > mostCodes:
		return "", nil, fmt.Errorf("it has more than %d codes", mostCodes)
	}
	slices.SortFunc(entries, byCode)
	return kind, entries, nil
}

func (k CodeKind) checkRow(row []string, columns int) error {
	if len(row) != columns {
		return fmt.Errorf("it has %d values, and there are %d titles", len(row), columns)
	}
	if !k.form().MatchString(row[0]) {
		return fmt.Errorf("code %.40q: want the form %s", row[0], k.form())
	}
	for _, part := range row[1:len(k.columns())] {
		if blank(part) || strings.TrimSpace(part) != part || utf8.RuneCountInString(part) > 200 || strings.ContainsFunc(part, unprintable) {
			return fmt.Errorf("name %.40q of %s: want 1 to 200 characters, without quotes, and without spaces before and after", part, row[0])
		}
	}
	return nil
}

// blank also refuses the quotes that frame a part of a name.
func blank(part string) bool { return strings.TrimSpace(part) == "" || strings.Contains(part, `"`) }

func unprintable(r rune) bool { return !unicode.IsGraphic(r) }
