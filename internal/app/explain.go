package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
)

// Explain says an error to an operator: in one line, and a line more for each
// place of a fault that has them.
func Explain(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return oneLine(err.Error())
	}
	words, werr := i18n.Load()
	if werr != nil {
		return oneLine(err.Error())
	}
	locale := words.Match(config.TerminalLocale())
	s := words.T(locale, f.Key, f.Args)
	for _, d := range f.Details {
		place := d.File
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d", d.File, d.Line)
		}
		if place == "" {
			place = d.Pointer
		}
		s += "\n  " + place + ": " + words.T(locale, d.Key, d.Args)
	}
	if f.Cause != nil {
		s += " (" + oneLine(f.Cause.Error()) + ")"
	}
	return s
}

// oneLine folds what libraries say in several lines.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
