package throttle_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// What has reached a limit may be refused unseen: whether it is, is the caller's to say.
func TestLimits(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	l := throttle.New(storetest.New(t), key, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	for _, tt := range []struct {
		subject throttle.Subject
		most    int
	}{
		{throttle.Subject{Limit: throttle.SignInAddress, Address: "192.0.2.1"}, 100},
		{throttle.Subject{Limit: throttle.SignInClient, Client: "ward-system"}, 300},
		{throttle.Subject{Limit: throttle.SignInPerson, Person: "656005750104"}, 50},
		{throttle.Subject{Limit: throttle.SignInPassword, UserID: "656005750104"}, 10},
		{throttle.Subject{Limit: throttle.EnrolmentAddress, Address: "192.0.2.1"}, 60},
		{throttle.Subject{Limit: throttle.TokenAddress, Address: "192.0.2.1", Client: "ward-system"}, 2000},
		{throttle.Subject{Limit: throttle.TokenClient, Client: "ward-system"}, 60},
	} {
		t.Run(string(tt.subject.Limit), func(t *testing.T) {
			t.Parallel()
			for i := range tt.most {
				if err := l.Check(tt.subject); err != nil {
					t.Fatalf("Check(%+v) before call %d = %v, want nil", tt.subject, i+1, err)
				}
				if err := l.Failed(t.Context(), tt.subject); err != nil {
					t.Fatalf("Failed(%+v), call %d = %v, want nil", tt.subject, i+1, err)
				}
			}
			if err := l.Failed(t.Context(), tt.subject); !beyond(err, tt.subject.Limit) {
				t.Errorf("Failed(%+v), call %d = %v, want that it is beyond the limit", tt.subject, tt.most+1, err)
			}
			if err := l.Check(tt.subject); !beyond(err, tt.subject.Limit) {
				t.Errorf("Check(%+v) = %v, want that it is beyond the limit", tt.subject, err)
			}
		})
	}
}

// A flood from one place counts nothing more, whomever it names.
func TestPlaceBeyondLimitCountsNothing(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	l := throttle.New(storetest.New(t), key, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	place := throttle.Subject{Limit: throttle.SignInAddress, Address: "192.0.2.1"}
	person := throttle.Subject{Limit: throttle.SignInPerson, Person: "656005750104"}
	for range 100 {
		if err := l.Failed(t.Context(), place); err != nil {
			t.Fatal(err)
		}
	}
	for range 60 {
		if err := l.Failed(t.Context(), place, person); !beyond(err, throttle.SignInAddress) {
			t.Fatalf("Failed(beyond the limit of its place) = %v, want that", err)
		}
	}
	if err := l.Failed(t.Context(), person); err != nil {
		t.Errorf("Failed(the person elsewhere) = %v, want nil: the flood was not counted under her", err)
	}
}

func beyond(err error, limit throttle.Limit) bool {
	e, ok := errors.AsType[*throttle.LimitError](err)
	return ok && e.Limit == limit
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{time.Microsecond: "1", time.Second: "1", time.Second + 1: "2", 10 * time.Minute: "600"} {
		e := &throttle.LimitError{Limit: throttle.SignInAddress, Wait: wait}
		if got := e.RetryAfter(); got != want {
			t.Errorf("RetryAfter(%s) = %s, want %s", wait, got, want)
		}
		if want := fmt.Sprintf("limit sign_in_address exceeded for another %s s", want); e.Error() != want {
			t.Errorf("Error() = %q, want %q", e.Error(), want)
		}
	}
}
