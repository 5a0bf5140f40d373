package fault_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/fault"
)

func TestIs(t *testing.T) {
	denied := fault.New(fault.Denied, "a.key")
	for _, tt := range []struct {
		name string
		err  error
		code fault.Code
		want bool
	}{
		{"nothing", nil, fault.Denied, false},
		{"another's error", io.EOF, fault.Internal, false},
		{"itself", denied, fault.Denied, true},
		{"another code", denied, fault.NotFound, false},
		{"wrapped by a sentence", fmt.Errorf("find it: %w", denied), fault.Denied, true},
		{"among others", errors.Join(io.EOF, denied), fault.Denied, true},
		{"the outer one counts", fault.Wrap(fault.Internal, "b.key", denied), fault.Denied, false},
	} {
		if got := fault.Is(tt.err, tt.code); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestErrorIsForTheLog(t *testing.T) {
	f := fault.Wrap(fault.Invalid, "course.invalid", io.ErrUnexpectedEOF).With("Most", 3).With("Name", "x").At(
		fault.Detail{Pointer: "/a", Key: "k.one"}, fault.Detail{File: "course.yaml", Line: 7, Key: "k.two"},
		fault.Detail{Pointer: "", Key: "k.three"}, fault.Detail{Key: "k.four"}, fault.Detail{Key: "k.five"},
	)
	want := "invalid course.invalid [/a k.one] [course.yaml:7 k.two] [ k.three] (and 2 more): unexpected EOF"
	if f.Error() != want {
		t.Errorf("%s, want %s", f.Error(), want)
	}
	if !errors.Is(f, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if f.Args["Most"] != 3 || f.Args["Name"] != "x" || len(f.Details) != 5 {
		t.Errorf("%+v", f)
	}
	if s := fault.New(fault.Denied, "a.key").Error(); s != "denied a.key" || strings.Contains(s, "nil") {
		t.Error(s)
	}
}
