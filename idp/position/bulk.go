package position

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

const (
	// LargestBulk bounds a file of requests, in bytes.
	LargestBulk = 256 << 10
	// mostBulk bounds the requests of a file.
	mostBulk = 500
	// mostMistakes is how many mistakes of a file are told.
	mostMistakes = 20
)

// bulkColumns are the titles of a file of requests.
func bulkColumns() []string { return []string{"person", "position", "starts", "expires", "reason"} }

// BulkRow is a line of a file of requests.
type BulkRow struct {
	Line int
	Asked
}

// ParseBulk reads a file of requests for positions: CSV (RFC 4180) in UTF-8, with or without a byte order mark, whose titles are
// those of bulkColumns in any order. A position starts at the beginning of a day, or is to as soon as it is given, and expires
// at the end of one, or never. All mistakes are told together, up to some, each with its line.
func ParseBulk(data []byte) ([]BulkRow, error) {
	switch {
	case len(data) > LargestBulk:
		return nil, fmt.Errorf("it has more than %d bytes", LargestBulk)
	case !utf8.Valid(data):
		return nil, errors.New("it is not in UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.FieldsPerRecord = -1 // whether the rows have the columns is said with all else that is wrong
	titles, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	want := bulkColumns()
	if !slices.Equal(slices.Sorted(slices.Values(titles)), slices.Sorted(slices.Values(want))) {
		return nil, fmt.Errorf("its titles are %.100q: want %s, in any order", strings.Join(titles, ","), strings.Join(want, ","))
	}
	var rows []BulkRow
	var mistakes []error
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			mistakes = append(mistakes, err) // it has the line, and after it nothing can be told from anything
			break
		}
		line, _ := r.FieldPos(0)
		if len(fields) != len(titles) {
			mistakes = append(mistakes, fmt.Errorf("line %d: it has %d columns, want %d", line, len(fields), len(titles)))
			continue
		}
		row, wrong := bulkRow(line, titles, fields)
		mistakes = append(mistakes, wrong...)
		rows = append(rows, row)
	}
	switch {
	case len(rows) > mostBulk:
		mistakes = append(mistakes, fmt.Errorf("it has %d requests: want %d at most", len(rows), mostBulk))
	case len(rows) == 0 && len(mistakes) == 0:
		mistakes = append(mistakes, errors.New("it has no requests"))
	}
	if n := len(mistakes); n > mostMistakes {
		mistakes = append(mistakes[:mostMistakes], fmt.Errorf("and %d more", n-mostMistakes))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return rows, nil
}

// bulkRow reads the fields of a line.
func bulkRow(line int, titles, fields []string) (row BulkRow, mistakes []error) {
	row = BulkRow{Line: line, Asked: Asked{Kind: Assign}}
	for i, title := range titles {
		text := strings.TrimSpace(fields[i])
		var err error
		switch title {
		case "person":
			row.Person, err = text, directory.CheckID(title, text)
		case "position":
			row.Position, err = text, directory.CheckID(title, text)
		case "starts":
			row.StartsAt, err = bulkDay(title, text)
		case "expires":
			var day time.Time
			if day, err = bulkDay(title, text); err == nil && !day.IsZero() {
				row.ExpiresAt = new(day.AddDate(0, 0, 1))
			}
		case "reason":
			row.Reason = strings.Join(strings.Fields(text), " ")
			err = directory.CheckText(title, row.Reason, 1, 500)
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("line %d: %w", line, err))
		}
	}
	return row, mistakes
}

func bulkDay(title, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2/1/2006"} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 1000 {
			return day, nil
		}
	}
	return time.Time{}, &directory.InvalidError{Field: title, Want: "a day such as 2030-11-30 or 30/11/2030, or nothing"}
}

// BulkEffect is what comes of a line, or would.
type BulkEffect struct {
	BulkRow

	Answer  Answer
	Refusal error // a refusal, or what is wrong with the line, for people; nil: none
}

// Bulk is what comes of a file of requests, or would.
type Bulk struct {
	Effects               []BulkEffect
	Given, Asked, Refused int
	Done                  bool
	// Seal says what each line comes to, and what its position gives. Who has seen it gives it back, to have exactly that done.
	Seal string
}

// errUndone has a transaction rolled back in which something was only tried.
var errUndone = errors.New("it was only tried")

// AskAll asks for all that a file asks for, as [Registrar.Ask] does, in one transaction: all of it, or nothing when a line is
// refused or something comes to another effect than whoever saw the seal has seen. Without a seal it is only tried, so
// that what each line would come to is said by the rules that decide it.
func (r *Registrar) AskAll(ctx context.Context, by deed.Acting, rows []BulkRow, seal string) (b Bulk, err error) {
	if err := by.Check(); err != nil {
		return Bulk{}, err
	}
	err = directory.Redraw("", func() (err error) {
		b, err = r.askAll(ctx, by, rows, seal)
		return err
	})
	if err != nil && !errors.Is(err, errUndone) {
		return Bulk{}, err
	}
	b.Done = err == nil
	if !b.Done { // what was done is on record with it
		err = audit.Record(ctx, r.Store, r.bulkLine(by, b))
	} else {
		err = nil
	}
	return b, err
}

func (r *Registrar) bulkLine(by deed.Acting, b Bulk) audit.Entry {
	e := deed.New(r.Rules, by, r.Now, audit.RequestBulk, "").Entry
	e.Detail["given"], e.Detail["asked"], e.Detail["refused"] = strconv.Itoa(b.Given), strconv.Itoa(b.Asked), strconv.Itoa(b.Refused)
	e.Detail["done"] = strconv.FormatBool(b.Done)
	if b.Refused > 0 {
		e.Detail["refused_as"] = b.refusedAs()
	}
	return e
}

// refusedAs is what the record says of why lines were refused, which have none of their own: each reason, and of how many.
func (b Bulk) refusedAs() string {
	lines := map[string]int{}
	for _, effect := range b.Effects {
		refusal, refused := errors.AsType[*deed.Refusal](effect.Refusal)
		switch {
		case refused:
			lines[string(refusal.Reason)]++
		case errors.Is(effect.Refusal, directory.ErrUnknown):
			lines["unknown"]++
		case effect.Refusal != nil:
			lines["invalid"]++
		}
	}
	var words []string
	for _, reason := range slices.Sorted(maps.Keys(lines)) {
		words = append(words, reason+" "+strconv.Itoa(lines[reason]))
	}
	return strings.Join(words, ", ")
}

func (r *Registrar) askAll(ctx context.Context, by deed.Acting, rows []BulkRow, seal string) (b Bulk, err error) {
	err = r.Store.InTx(ctx, func(tx *store.Tx) error {
		b = Bulk{}
		if err := lockAll(ctx, tx, by, rows); err != nil {
			return err
		}
		hash := sha256.New()
		_, _ = fmt.Fprintf(hash, "%s %s\n", by.Person, by.Role)
		for _, row := range rows {
			effect, err := r.askOne(ctx, tx, by, row)
			if err != nil {
				return fmt.Errorf("line %d: %w", row.Line, err)
			}
			switch {
			case effect.Refusal != nil:
				b.Refused++
			case effect.Answer.Role != "":
				b.Given++
			default:
				b.Asked++
			}
			b.Effects = append(b.Effects, effect)
			gives := effect.Answer.Gives
			_, _ = fmt.Fprintf(hash, "%q %q %s %s %q %s %v %d", row.Person, row.Position, moment(&row.StartsAt), moment(row.ExpiresAt), row.Reason, effect.Answer.State, effect.Refusal, gives.Version)
			_, _ = fmt.Fprintf(hash, " %q %q %q %q\n", gives.JobRole, gives.AreasOfWork, gives.Activities, gives.Workgroups)
		}
		b.Seal = hex.EncodeToString(hash.Sum(nil)[:16])
		if b.Refused > 0 || seal != b.Seal {
			return errUndone
		}
		b.Done = true
		return audit.Record(ctx, tx, r.bulkLine(by, b))
	})
	return b, err
}

// lockAll locks the positions and the people of a file, in the order in which everybody locks them.
func lockAll(ctx context.Context, tx *store.Tx, by deed.Acting, rows []BulkRow) error {
	people, positions := []string{by.Person}, make([]string, 0, len(rows))
	for _, row := range rows {
		people, positions = append(people, row.Person), append(positions, row.Position)
	}
	slices.Sort(positions)
	for _, id := range slices.Compact(positions) {
		if _, err := tx.LockPosition(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("lock position %s: %w", id, err)
		}
	}
	if err := tx.LockOpenRequests(ctx, people...); err != nil {
		return fmt.Errorf("lock requests: %w", err)
	}
	if err := tx.LockAccess(ctx, people...); err != nil {
		return fmt.Errorf("lock what people sign in with: %w", err)
	}
	if _, err := tx.LockIdentities(ctx, people...); err != nil {
		return fmt.Errorf("lock people: %w", err)
	}
	return nil
}

// askOne asks for what a line asks for. What is refused leaves nothing.
func (r *Registrar) askOne(ctx context.Context, tx *store.Tx, by deed.Acting, row BulkRow) (effect BulkEffect, err error) {
	effect = BulkEffect{BulkRow: row}
	a := r.begin(by, audit.RequestAsked)
	a.Tx = tx
	q := row.Asked
	if q.StartsAt.IsZero() {
		q.StartsAt = a.Now
	}
	if effect.Refusal = q.check(a.Now); effect.Refusal != nil {
		return effect, nil
	}
	if err := tx.Try(ctx, func() error {
		effect.Answer, err = a.ask(ctx, q)
		return err
	}); err != nil {
		if !errors.Is(err, directory.ErrUnknown) && !deed.Refused(err) {
			return effect, err
		}
		effect.Answer, effect.Refusal = Answer{}, err
		return effect, nil
	}
	return effect, audit.Record(ctx, tx, a.Entry)
}
