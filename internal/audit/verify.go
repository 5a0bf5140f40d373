package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Flaw is what is wrong at one place of a chain.
type Flaw string

// The flaws.
const (
	Changed   Flaw = "changed"   // the entry does not have the hash that it states
	Missing   Flaw = "missing"   // an entry with this number was removed, or moved elsewhere
	Misplaced Flaw = "misplaced" // the entry stands where its number does not belong: swapped, repeated or inserted
	Replaced  Flaw = "replaced"  // the entry is sound in itself but does not follow the one before: one of the two was put there
	Unread    Flaw = "unread"    // the line is no entry, or has more in it than an entry
	Foreign   Flaw = "foreign"   // the entry is another institution's
	Short     Flaw = "short"     // the chain ends before the head that was given
	OtherHead Flaw = "head"      // the entry has another hash than the head that was given
)

// Finding names a flaw by the number of the entry, and the line where it was seen, both from 1.
type Finding struct {
	N    int64
	Line int64
	Flaw Flaw
}

// maxFindings bounds what a Verifier remembers: a file of another kind is flawed in every line.
const maxFindings = 100

// Verifier checks a chain entry by entry, in order from the first. Its zero value is ready; Want may be set before.
type Verifier struct {
	Want Head // a head of before that was kept elsewhere; zero for none

	head        Head
	line        int64
	institution string
	found       []Finding
	wanted      bool
}

// Add checks the next entry.
func (v *Verifier) Add(e Entry) {
	v.line++
	if v.line == 1 || v.institution == "" {
		v.institution = e.Institution
	}
	switch want := v.head.N + 1; {
	case e.Institution != v.institution:
		v.flaw(e.N, Foreign)
		return
	case e.Hash != e.digest():
		if e.Prev == v.prev() {
			e.N = want // its number may be what was changed
		}
		v.flaw(e.N, Changed)
	case e.N < want:
		v.flaw(e.N, Misplaced)
		return
	case e.N > want:
		for n := want; n < e.N && len(v.found) < maxFindings; n++ {
			v.flaw(n, Missing)
		}
	case e.Prev != v.prev():
		v.flaw(e.N, Replaced)
	}
	if e.N == v.Want.N {
		v.wanted = true
		if e.Hash != v.Want.Hash {
			v.flaw(e.N, OtherHead)
		}
	}
	if e.N > v.head.N { // after a flaw the next entry is measured by this one
		v.head = e.Head()
	}
}

func (v *Verifier) prev() string {
	if v.head.N == 0 {
		return Zero
	}
	return v.head.Hash
}

// Unreadable takes note of a line that is no entry.
func (v *Verifier) Unreadable() {
	v.line++
	v.flaw(v.head.N+1, Unread)
}

func (v *Verifier) flaw(n int64, f Flaw) {
	if len(v.found) < maxFindings {
		v.found = append(v.found, Finding{n, v.line, f})
	}
}

// Done gives the end of the chain and all that is wrong with it, at most 100 findings; nothing means that the chain holds.
func (v *Verifier) Done() (Head, []Finding) {
	if v.Want.N > 0 && !v.wanted {
		v.flaw(v.Want.N, Short)
	}
	return v.head, v.found
}

// maxLine bounds a line of an export: the longest data, and the rest of an entry.
const maxLine = MaxData + 1024

// VerifyExport checks an export. An error means that it could not be read at all.
func VerifyExport(r io.Reader, want Head) (Head, []Finding, error) {
	v := Verifier{Want: want}
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			head, found := v.Done()
			return head, found, nil
		case errors.Is(err, bufio.ErrBufferFull):
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		case err != nil && !errors.Is(err, io.EOF):
			return Head{}, nil, fmt.Errorf("read the export: %w", err)
		}
		e, bad := ParseLine(bytes.TrimSuffix(line, []byte("\n")))
		if bad != nil {
			v.Unreadable()
			continue
		}
		v.Add(e)
	}
}
