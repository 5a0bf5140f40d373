// Package audit chains what was done, so that nobody changes it afterwards unseen.
//
// Each institution has one chain of entries, numbered from 1 without gaps. An entry's hash covers the entry and the hash
// before it. So who knows one hash knows whether anything up to it was changed, removed, swapped or inserted. Who can write to
// the database can still write a whole new chain, or cut off its end: keep a head (the number and hash of the last entry)
// elsewhere, and compare.
//
// Written as a line of JSON an entry is
//
//	{"at":"2026-03-01T12:00:00.123456Z","by":"<user id, or empty>","data":{…},"hash":"<64 hex digits>","institution":"<id>","kind":"key_rotated","n":7,"prev":"<64 hex digits>"}
//
// in the canonical form of RFC 8785: members sorted, no spaces, nothing escaped that need not be. Its hash is the SHA-256 of
// that line without the member hash. The first entry's prev is 64 zeros. An export (JSONL) is those lines in order from the first,
// each ended by a line feed, and nothing else.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Server is the institution of what concerns no institution but the whole server.
const Server = "00000000-0000-0000-0000-000000000000"

// Zero is the hash before the first entry.
var Zero = strings.Repeat("0", 2*sha256.Size)

// MaxData bounds what an entry says, in bytes of JSON: an entry names things, it does not carry them.
const MaxData = 16 << 10

// Entry is one thing that was done. Data says what, with no more of people than their ids.
type Entry struct {
	Institution string
	N           int64
	At          time.Time // in whole microseconds
	By          string    // user id; "" for the server's own work and for commands of its operator
	Kind        Kind
	Data        json.RawMessage // canonical, an object
	Prev        string
	Hash        string
}

// Head is the end of a chain. Its zero value is that of an empty one.
type Head struct {
	N    int64
	Hash string // "" when N is 0
}

// New makes an entry that has no place in a chain yet: a Store gives it one. Data that cannot be written as JSON is
// refused there.
func New[I, U ~string](institution I, by U, at time.Time, kind Kind, data map[string]any) Entry {
	e := Entry{Institution: string(institution), By: string(by), At: at, Kind: kind}
	if data == nil {
		data = map[string]any{}
	}
	e.Data, _ = json.Marshal(data) // nil is refused by After
	return e
}

var kindForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,62}$`)

// After gives an entry its place behind the end of a chain.
func (e Entry) After(h Head) (Entry, error) {
	if !kindForm.MatchString(string(e.Kind)) {
		return Entry{}, fmt.Errorf("audit entry of the kind %q", e.Kind)
	}
	data, err := canonical(e.Data)
	if err != nil {
		return Entry{}, fmt.Errorf("audit entry of the kind %s: %w", e.Kind, err)
	}
	if len(data) > MaxData || data[0] != '{' {
		return Entry{}, fmt.Errorf("audit entry of the kind %s: data is no object of at most %d bytes", e.Kind, MaxData)
	}
	if e.Institution == "" {
		e.Institution = Server
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Data, e.N, e.Prev = data, h.N+1, h.Hash
	if h.N == 0 {
		e.Prev = Zero
	}
	e.Hash = e.digest()
	return e, nil
}

// Head is the end of a chain that ends with the entry.
func (e Entry) Head() Head { return Head{e.N, e.Hash} }

// digest is what Hash has to be.
func (e Entry) digest() string {
	sum := sha256.Sum256(e.line(""))
	return hex.EncodeToString(sum[:])
}

// timeForm has a fixed number of digits, so that a time is written in one way only.
const timeForm = "2006-01-02T15:04:05.000000Z"

// Line writes an entry as it stands in an export, without the line feed.
func (e Entry) Line() []byte { return e.line(e.Hash) }

func (e Entry) line(hash string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"at":`)
	writeString(&b, e.At.UTC().Format(timeForm))
	b.WriteString(`,"by":`)
	writeString(&b, e.By)
	b.WriteString(`,"data":`)
	b.Write(e.Data)
	if hash != "" {
		b.WriteString(`,"hash":`)
		writeString(&b, hash)
	}
	b.WriteString(`,"institution":`)
	writeString(&b, e.Institution)
	b.WriteString(`,"kind":`)
	writeString(&b, string(e.Kind))
	fmt.Fprintf(&b, `,"n":%d,"prev":`, e.N)
	writeString(&b, e.Prev)
	b.WriteByte('}')
	return b.Bytes()
}

// ParseLine reads a line of an export. A line that is written in another way than Line writes it is refused: what is not
// covered by the hash must not be there.
func ParseLine(line []byte) (Entry, error) {
	var in struct {
		At          string          `json:"at"`
		By          string          `json:"by"`
		Data        json.RawMessage `json:"data"`
		Hash        string          `json:"hash"`
		Institution string          `json:"institution"`
		Kind        Kind            `json:"kind"`
		N           int64           `json:"n"`
		Prev        string          `json:"prev"`
	}
	if err := json.Unmarshal(line, &in); err != nil {
		return Entry{}, errors.New("no entry")
	}
	at, err := time.Parse(timeForm, in.At)
	if err != nil {
		return Entry{}, errors.New("no time")
	}
	e := Entry{in.Institution, in.N, at, in.By, in.Kind, in.Data, in.Prev, in.Hash}
	if data, err := canonical(in.Data); err != nil || !bytes.Equal(data, in.Data) || !bytes.Equal(e.Line(), line) {
		return Entry{}, errors.New("not written in the canonical form")
	}
	return e, nil
}
