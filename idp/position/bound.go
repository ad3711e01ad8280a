package position

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/store"
)

// BoundError says that a person becomes an officer, or a higher one, and who had to do with what she signs in with. One of them may be
// able to come in her place, whom she will be above from then on.
type BoundError struct {
	PersonID string
	Bindings []store.Binding
}

func (e *BoundError) Error() string {
	lines := []string{"person " + e.PersonID + " becomes an officer, and others had to do with what she signs in with: ask her to show you each"}
	for _, b := range e.Bindings {
		lines = append(lines, "  "+b.AuthenticatorID.String()+", "+inWords(b))
	}
	return strings.Join(lines, "\n")
}

// refused is the refusal of an officer who decides.
func (e *BoundError) refused() error {
	list := make([]deed.Change, len(e.Bindings))
	for i, b := range e.Bindings {
		list[i] = deed.Change{Field: b.AuthenticatorID.String(), To: inWords(b)}
	}
	return Refusal(BoundByOthers).With("", list...)
}

func inWords(b store.Binding) string {
	return fmt.Sprintf("bound on %s, last by %s: %q", b.BoundAt.UTC().Format("2 January 2006"), b.By, b.Name)
}

// MarkOf tells one list of what others had to do with from any other, so that whoever decides can say which she has seen. That of none
// is "".
func MarkOf(bindings []store.Binding) string {
	if len(bindings) == 0 {
		return ""
	}
	sum := sha256.New()
	for _, b := range bindings { // in one order, the oldest first
		fmt.Fprintln(sum, b.AuthenticatorID, b.By)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// bound spends the enrolment links of a person who becomes an officer: they were made while she was none, by officers who may not make
// one for her as she is now. It says, for the record, who had to do with what she signs in with. Unless that is what was seen, by its
// mark, it is a *[BoundError]. What she signs in with has to be locked.
func bound(ctx context.Context, tx *store.Tx, personID, seen string, now time.Time) (by string, err error) {
	if err := tx.SpendLinks(ctx, personID, now); err != nil {
		return "", fmt.Errorf("spend enrolment links of person %s: %w", personID, err)
	}
	bindings, err := tx.Bindings(ctx, personID)
	if err != nil {
		return "", fmt.Errorf("read who had to do with what person %s signs in with: %w", personID, err)
	}
	if mark := MarkOf(bindings); mark != "" && mark != seen {
		return "", &BoundError{personID, bindings}
	}
	var officers []string
	for _, b := range bindings {
		if !slices.Contains(officers, b.By) {
			officers = append(officers, b.By)
		}
	}
	return deed.Clip(strings.Join(officers, " ")), nil
}

// NoteBound notes who had to do with what a person signs in with who becomes an officer by a deed, unless whoever does it has not seen it,
// who is refused: see [MarkOf].
func NoteBound(ctx context.Context, d *deed.Deed, personID, seen string) error {
	by, err := bound(ctx, d.Tx, personID, seen, d.Now)
	if unseen, is := errors.AsType[*BoundError](err); is {
		return unseen.refused()
	}
	if err == nil && by != "" {
		d.Note(map[string]string{"authenticators_bound_by": by})
	}
	return err
}
