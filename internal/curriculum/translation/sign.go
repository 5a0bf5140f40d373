package translation

import (
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/fault"
)

// SignState is how far people have vouched for a file.
type SignState string

// The states. A file is a Draft until a person says otherwise, and again as soon as
// somebody edits a translation. A change of the source text alone makes the unit stale, not the file a draft.
const (
	Draft    SignState = "draft"
	Reviewed SignState = "reviewed"
	Signed   SignState = "signed"
)

// The fields of a file's header.
const (
	fieldState  = "X-Banyan-State"
	fieldBy     = "X-Banyan-Signed-By"
	fieldAt     = "X-Banyan-Signed-At"
	fieldDigest = "X-Banyan-Signed-Digest"
)

// SignOff is who vouched for a file, and when.
type SignOff struct {
	State SignState
	By    string
	At    time.Time // zero for a draft
}

// StateOfFile is the state that is in force.
func StateOfFile(f *po.File) SignState { return signOff(f, f.Digest).State }

// SignOffOf is the state in force with the person behind it; a draft has none.
func SignOffOf(f *po.File) SignOff { return signOff(f, f.Digest) }

func signOff(f *po.File, digest func() string) SignOff {
	state := SignState(f.Field(fieldState))
	if state != Reviewed && state != Signed || f.Field(fieldDigest) != digest() {
		return SignOff{State: Draft}
	}
	at, _ := time.Parse(time.RFC3339, f.Field(fieldAt))
	return SignOff{State: state, By: f.Field(fieldBy), At: at}
}

// Sign puts a person's word into the header of a file. Draft takes it back.
func Sign(f *po.File, state SignState, by string, at time.Time) error {
	by = strings.TrimSpace(by)
	switch state {
	case Draft:
		by = ""
		f.SetField(fieldAt, "")
		f.SetField(fieldDigest, "")
	case Reviewed, Signed:
		if by == "" || strings.ContainsFunc(by, func(c rune) bool { return c < ' ' || c == 0x7f }) || len(by) > 200 {
			return fault.New(fault.Invalid, "translation.bad_signer")
		}
		f.SetField(fieldAt, at.UTC().Format(time.RFC3339))
		f.SetField(fieldDigest, f.Digest())
	default:
		return fault.New(fault.Invalid, "translation.bad_state").With("State", string(state))
	}
	f.SetField(fieldState, string(state))
	f.SetField(fieldBy, by)
	return nil
}
