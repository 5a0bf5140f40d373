// Package fault is the one error that crosses borders: a code, a message key and a cause.
package fault

import (
	"errors"
	"fmt"
)

// Code is the kind of a fault. A door maps it to its own world (HTTP status, exit code).
type Code string

// The codes.
const (
	Invalid         Code = "invalid"         // the input is at fault; Details say where
	Unauthenticated Code = "unauthenticated" // nobody is signed in, or the secret is wrong
	Denied          Code = "denied"          // the actor may not
	NotFound        Code = "not_found"
	Gone            Code = "gone"      // it was there, and is no more for good
	Conflict        Code = "conflict"  // the state does not allow it
	TooLarge        Code = "too_large" // the input is larger than allowed
	TooMany         Code = "too_many"  // throttled; RetryAfter says for how long
	Unavailable     Code = "unavailable"
	Internal        Code = "internal" // ours
)

// Error is the fault. Key is a message key of internal/i18n/locales and is
// stable: clients may rely on it. Cause is for the log, never for the wire.
type Error struct {
	Code       Code
	Key        string
	Args       map[string]any
	Details    []Detail
	RetryAfter int // seconds, with TooMany
	Cause      error
}

// Detail is one place at fault in an input.
type Detail struct {
	Pointer string // JSON pointer (RFC 6901) into the body, or "" when File is given
	File    string // path inside an uploaded course
	Line    int    // counted from 1; 0 when unknown
	Key     string // message key: what is wrong and how to cure it
	Args    map[string]any
}

// New makes a fault without a cause.
func New(code Code, key string) *Error { return &Error{Code: code, Key: key} }

// Wrap makes a fault with a cause that stays in the log.
func Wrap(code Code, key string, cause error) *Error {
	return &Error{Code: code, Key: key, Cause: cause}
}

// With adds an argument for the message and returns the same fault.
func (e *Error) With(name string, value any) *Error {
	if e.Args == nil {
		e.Args = map[string]any{}
	}
	e.Args[name] = value
	return e
}

// At adds a place at fault and returns the same fault.
func (e *Error) At(d ...Detail) *Error {
	e.Details = append(e.Details, d...)
	return e
}

func (e *Error) Error() string {
	s := string(e.Code) + " " + e.Key
	for i, d := range e.Details {
		if i == 3 {
			s += fmt.Sprintf(" (and %d more)", len(e.Details)-i)
			break
		}
		switch {
		case d.File != "":
			s += fmt.Sprintf(" [%s:%d %s]", d.File, d.Line, d.Key)
		default:
			s += fmt.Sprintf(" [%s %s]", d.Pointer, d.Key)
		}
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// Is tells whether err is a fault of the code.
func Is(err error, code Code) bool {
	var f *Error
	return errors.As(err, &f) && f.Code == code
}
