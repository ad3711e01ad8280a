package desk

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/web"
)

// mostForm is how many bytes a form of the desk has at most.
const mostForm = 64 << 10

const wantReason = "Enter a reason, of up to 500 characters"

func wantDate(what, such string) string { return "Enter " + what + " such as " + such }

// mistakes says beside the fields of a form what was wrong with what was entered, in the words given for each field, and at
// its top why it was refused. Any other error is returned, and so is that her role does not let her: then nothing that she
// enters would do.
func mistakes(err error, words map[string]string) ([]web.FieldError, error) {
	if refusal, refused := errors.AsType[*deed.Refusal](err); refused {
		switch refusal.Reason {
		case deed.NoRight, deed.AnotherOrganisation, deed.NotInRole, deed.NotProved:
			return nil, err
		default:
			return []web.FieldError{{Message: refusal.Sentence()}}, nil
		}
	}
	wrong, ok := directory.Mistakes(err)
	if !ok {
		return nil, err
	}
	var list []web.FieldError
	for _, e := range wrong {
		list = append(list, web.FieldError{Field: e.Field, Message: cmp.Or(words[e.Field], "Enter "+e.Want)})
	}
	return list, nil
}

// inOrder has mistakes in the order in which a form has its fields.
func inOrder(wrong []web.FieldError, fields ...string) []web.FieldError {
	slices.SortStableFunc(wrong, func(a, b web.FieldError) int {
		return cmp.Compare(slices.Index(fields, a.Field), slices.Index(fields, b.Field))
	})
	return wrong
}

// noOrganisation says that no organisation has the code that was entered.
func noOrganisation(o officer) []web.FieldError {
	return []web.FieldError{{Field: "organisation", Message: "Enter the code of an organisation, such as " + o.Organisation}}
}

// codeOr is the code of an organisation that was entered, or another.
func codeOr(entered, other string) string {
	return cmp.Or(strings.ToUpper(strings.TrimSpace(entered)), other)
}

// date reads a day as people write one, the day before the month.
func date(field, text string) (time.Time, error) {
	for _, layout := range []string{"2/1/2006", "2.1.2006", "2-1-2006", "2 1 2006", "2 January 2006", "2 Jan 2006", time.DateOnly} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 1000 {
			return day, nil
		}
	}
	return time.Time{}, &directory.InvalidError{Field: field, Want: "a date such as 31/3/2030"}
}

// days is from the beginning of a first day to the end of a last one, "" being none.
func days(first, last string) (starts time.Time, expires *time.Time, err error) {
	var startErr, endErr error
	if first != "" {
		starts, startErr = date("starts", first)
	}
	if last != "" {
		var day time.Time
		day, endErr = date("ends", last)
		expires = new(day.AddDate(0, 0, 1))
	}
	return starts, expires, errors.Join(startErr, endErr)
}
