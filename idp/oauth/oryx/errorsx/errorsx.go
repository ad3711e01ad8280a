// Package errorsx has what fosite asks of the package of this name.
package errorsx

import "github.com/pkg/errors"

// WithStack adds a stack trace to an error that has none.
func WithStack(err error) error {
	if traced, ok := err.(StackTracer); ok && len(traced.StackTrace()) > 0 {
		return err
	}
	return errors.WithStack(err)
}

// Cause is the innermost error that an error was made from.
func Cause(err error) error { return errors.Cause(err) }

// StackTracer is an error that knows where it was made.
type StackTracer interface{ StackTrace() errors.StackTrace }

// StatusCodeCarrier is an error with an HTTP status code.
type StatusCodeCarrier interface{ StatusCode() int }

// StatusCarrier is an error with an HTTP status text.
type StatusCarrier interface{ Status() string }

// RequestIDCarrier is an error with the id of a request.
type RequestIDCarrier interface{ RequestID() string }

// ReasonCarrier is an error with a reason for the caller.
type ReasonCarrier interface{ Reason() string }

// DebugCarrier is an error with a reason for the developer.
type DebugCarrier interface{ Debug() string }

// DetailsCarrier is an error with named details.
type DetailsCarrier interface{ Details() map[string]any }
