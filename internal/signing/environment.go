package signing

import (
	"encoding/base64"
	"errors"
)

// Environment has its master key from whoever started the program: an
// orchestrator that injects secrets, and where no file may be kept. Other programs of the same
// user may be able to read a program's environment: where a file is possible, prefer it.
type Environment struct{ safe }

var _ Safe = (*Environment)(nil)

// NewEnvironment takes a master key of 32 bytes in base64, in the standard or the URL alphabet, with or without padding.
func NewEnvironment(text string) (*Environment, error) {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		key, err := e.Strict().DecodeString(text)
		if err != nil || len(key) != MasterSize {
			continue
		}
		m, err := newMaster(key)
		return &Environment{safe{m}}, err
	}
	// The decoder's error would show a part of the text.
	return nil, errors.New("the master key is not 32 bytes in base64")
}

// String says what it is; the master key is never printed.
func (e *Environment) String() string { return "environment" }

// GoString is what %#v prints.
func (e *Environment) GoString() string { return "signing.Environment" }
