package statuslist_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

const (
	oasis = identity.InstitutionID("01950000-0000-7000-8000-000000000001")
	did   = "did:web:learn.example:institutions:oasis"
)

// bench is the lists of a school over a real store, with a clock that stands still.
type bench struct {
	*statuslist.Service
	rows *rows
	now  time.Time
}

// rows are the lists in the store, beside places that are not.
type rows struct {
	*store.StatusLists
	taken map[statuslist.ID]map[int]bool
}

func (r *rows) IndexTaken(_ context.Context, list statuslist.ID, index int) (bool, error) {
	return r.taken[list][index], nil
}

// school is all that keyring asks of its neighbours.
type school struct{ keyring.Institutions }

func (school) Find(context.Context, identity.InstitutionID) (institution.Institution, error) {
	return institution.Institution{ID: oasis, Slug: "oasis", Name: "Oasis"}, nil
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "banyan.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &bench{now: time.Date(2026, 11, 23, 5, 0, 0, 123_456_000, time.UTC), rows: &rows{StatusLists: db.StatusLists(), taken: map[statuslist.ID]map[int]bool{}}}
	if err := db.Institution().CreateInstitution(t.Context(), institution.Institution{ID: oasis, Slug: "oasis", Name: "Oasis", CreatedAt: b.now}); err != nil {
		t.Fatal(err)
	}
	sealer, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	now, newID := func() time.Time { return b.now }, func() string { return uuid.Must(uuid.NewV7()).String() }
	keys := &keyring.Service{
		Store: db.Keyring(), Institutions: school{}, Sealer: sealer, PublicURL: "https://learn.example", Now: now, NewID: newID, Random: rand.Reader,
	}
	b.Service = &statuslist.Service{Store: b.rows, Keys: keys, Now: now, NewID: newID, Random: rand.Reader}
	return b
}

// draws makes the next places those.
func (b *bench) draws(places ...uint32) {
	var raw []byte
	for _, n := range places {
		raw = binary.BigEndian.AppendUint32(raw, 0xfffe_0000|n) // the high bits do not count
	}
	b.Random = bytes.NewReader(raw)
}

// No place is drawn twice, neither by one call nor by two, and who finds sixteen taken in a row begins new lists.
func TestDraw(t *testing.T) {
	b := newBench(t)
	draw := func(p *statuslist.Places, want int) statuslist.List {
		t.Helper()
		list, index, err := p.Draw(t.Context())
		if err != nil || index != want || list.Purpose != statuslist.Revocation {
			t.Fatalf("place %d in %+v, %v; want %d", index, list, err, want)
		}
		return list
	}
	first := b.Places(oasis, did)
	b.draws(7, 7, 7, 8)
	list := draw(first, 7)
	if again := draw(first, 8); again.ID != list.ID {
		t.Error("new lists for the second place")
	}
	b.rows.taken[list.ID] = map[int]bool{7: true, 8: true}
	second := b.Places(oasis, did)
	b.draws(8, 9)
	if again := draw(second, 9); again.ID != list.ID {
		t.Error("new lists for another call")
	}
	b.draws(7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 7)
	next := draw(second, 7)
	if next.ID == list.ID || next.TwinID == "" || next.TwinID == list.TwinID {
		t.Errorf("%+v, then %+v", list, next)
	}
	b.draws(8)
	if again := draw(b.Places(oasis, did), 8); again.ID != next.ID {
		t.Error("the full list is still used")
	}
	all, err := b.ListOf(t.Context(), oasis, did)
	if err != nil || len(all) != 4 {
		t.Errorf("%+v, %v", all, err)
	}
	b.draws()
	if _, _, err := second.Draw(t.Context()); err == nil {
		t.Error("drawn without randomness")
	}
}

// slow is a sealer that does something else when a key is about to sign.
type slow struct {
	signing.Sealer
	first func()
}

func (s *slow) Open(ctx context.Context, o signing.Owner, sealed []byte) (signing.Key, error) {
	if do := s.first; do != nil {
		s.first = nil
		do()
	}
	return s.Sealer.Open(ctx, o, sealed)
}

// No process hands out a list by a key that was taken back before, be it by another one or while it signs.
func TestListsOfARevokedKey(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	admin := identity.Actor{UserID: "01950000-0000-7000-8000-000000000003", Memberships: []identity.Membership{{InstitutionID: oasis, Role: identity.Admin}}}
	if _, _, err := b.Keys.Live(ctx, oasis, did); err != nil {
		t.Fatal(err)
	}
	of, _, err := b.Places(oasis, did).Draw(ctx)
	if err != nil {
		t.Fatal(err)
	}
	keys := func() []keyring.Key {
		t.Helper()
		all, err := b.Keys.All(ctx, oasis)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	// lose revokes the key in use, as another process does.
	lose := func() {
		t.Helper()
		other := newBench(t).Keys
		other.Store, other.Sealer, other.Now = b.Keys.Store, b.Keys.Sealer, b.Now
		all := keys()
		if _, err := other.Revoke(ctx, admin, oasis, all[len(all)-1].ID, b.now, "lost"); err != nil {
			t.Fatal(err)
		}
	}
	list := func() []byte {
		t.Helper()
		doc, err := b.Document(ctx, of.ID)
		all := keys()
		if err != nil || !bytes.Contains(doc, []byte(all[len(all)-1].Multikey)) {
			t.Fatalf("not by the key of now: %s, %v", doc, err)
		}
		return doc
	}
	list()
	lose()
	list()
	sealer := b.Keys.Sealer
	b.now = b.now.Add(statuslist.TTL)
	b.Keys.Sealer = &slow{sealer, func() {
		b.Keys.Sealer = sealer
		lose()
	}}
	if kept := list(); !bytes.Equal(kept, list()) || len(keys()) != 3 {
		t.Errorf("signed again, %d keys", len(keys()))
	}
}
