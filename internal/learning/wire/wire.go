// Package wire reads what devices send: batches of statements, and exported work with its signature. It believes nothing and knows no one.
package wire

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Statement is one as a device writes it. docs/sync.md says what each field must be; here they are merely read.
type Statement struct {
	ID           string                     `json:"id"`
	EnrollmentID string                     `json:"enrollment_id"`
	Verb         string                     `json:"verb"`
	ObjectID     string                     `json:"object_id"`
	At           string                     `json:"at"`
	Responses    map[string]json.RawMessage `json:"responses"`
	Attempt      int                        `json:"attempt"`
	Sequence     int                        `json:"sequence"` // 0: none
}

// ReadStatements reads a list of statements. Those that cannot be read keep their place and as much of
// their id and sequence as is legible; bad says by place what is wrong with them. It is a fault only when there is no list.
// The whole is read at once, and item by item only when that fails, so that good batches cost one pass.
func ReadStatements(list json.RawMessage) (sts []Statement, bad map[int]*fault.Detail, err error) {
	if sts, ok := quickBatch(list); ok {
		return sts, nil, nil
	}
	if err := strictly(list, &sts); err == nil {
		return sts, nil, nil
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(list, &raws); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, "request.invalid", err).
			At(fault.Detail{Pointer: "", Key: "statement.not_a_list"})
	}
	sts = make([]Statement, len(raws))
	bad = map[int]*fault.Detail{}
	for i, raw := range raws {
		if err := strictly(raw, &sts[i]); err != nil {
			var which struct {
				ID       string `json:"id"`
				Sequence int    `json:"sequence"`
			}
			_ = json.Unmarshal(raw, &which) // as far as it can be read: the device wants to know which one
			sts[i] = Statement{ID: cutID(which.ID), Sequence: which.Sequence}
			bad[i] = &fault.Detail{Pointer: "", Key: "statement.malformed"}
		}
	}
	return sts, bad, nil
}

func cutID(id string) string {
	if len(id) > 64 {
		return ""
	}
	return id
}

func strictly(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// MaxStamp bounds what devices number.
const MaxStamp = 1_000_000_000

// Batch is what a device has waiting.
type Batch struct {
	Device       string
	Epoch        int
	Acknowledged int
	Cursor       string // "" when none was sent
	Statements   []Statement
	Bad          map[int]*fault.Detail // of statements that cannot be kept, by place
}

// ReadBatch reads the frame of a batch, so that each of its fields that is wrong is named, and then the statements.
// One without a sequence from 1 to MaxStamp is bad, and has 0.
func ReadBatch(body json.RawMessage) (Batch, error) {
	var b Batch
	var list json.RawMessage
	err := frame(body, field{"device", &b.Device, func() bool { return IsV7(b.Device) }, true},
		field{"epoch", &b.Epoch, func() bool { return b.Epoch >= 1 && b.Epoch <= MaxStamp }, true},
		field{"acknowledged", &b.Acknowledged, func() bool { return b.Acknowledged >= 0 && b.Acknowledged <= MaxStamp }, true},
		field{"statements", &list, func() bool { return list[0] == '[' }, true},
		field{"cursor", &b.Cursor, func() bool { return b.Cursor != "" }, false})
	if err != nil {
		return Batch{}, err
	}
	if b.Statements, b.Bad, err = ReadStatements(list); err != nil {
		return Batch{}, err
	}
	b.wantSequences()
	return b, nil
}

func (b *Batch) wantSequences() {
	for i := range b.Statements {
		if n := b.Statements[i].Sequence; n >= 1 && n <= MaxStamp {
			continue
		}
		b.Statements[i].Sequence = 0
		if b.Bad == nil {
			b.Bad = map[int]*fault.Detail{}
		}
		if b.Bad[i] == nil {
			b.Bad[i] = &fault.Detail{Pointer: "/sequence", Key: "statement.bad_sequence"}
		}
	}
}

// field is one of an object's.
type field struct {
	name   string
	into   any
	right  func() bool // of what was read into it
	needed bool
}

// frame reads an object of known fields, by their exact names.
func frame(body json.RawMessage, want ...field) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return fault.Wrap(fault.Invalid, "request.invalid", err).At(fault.Detail{Pointer: "", Key: "request.bad_value"})
	}
	f := fault.New(fault.Invalid, "request.invalid")
	for _, w := range want {
		raw, given := fields[w.name]
		delete(fields, w.name)
		switch {
		case !given && w.needed:
			f.At(fault.Detail{Pointer: "/" + w.name, Key: "request.required"})
		case given && (string(raw) == "null" || json.Unmarshal(raw, w.into) != nil || !w.right()):
			f.At(fault.Detail{Pointer: "/" + w.name, Key: "request.bad_value"})
		}
	}
	for name := range fields {
		f.At(fault.Detail{Pointer: "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name), Key: "request.unknown_field"})
		break // one is enough to be told
	}
	if len(f.Details) > 0 {
		return f
	}
	return nil
}

// IsV7 tells whether a text is a UUIDv7. It takes only the canonical form, lower case, or one thing would have several ids.
func IsV7(id string) bool {
	if len(id) != 36 || id[14] != '7' || (id[19] != '8' && id[19] != '9' && id[19] != 'a' && id[19] != 'b') {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
