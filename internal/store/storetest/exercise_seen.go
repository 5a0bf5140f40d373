package storetest

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/store"
)

func exerciseSeen(t *testing.T, w *world) {
	ctx, s := t.Context(), w.SeenLists()
	saw := func(seen verifier.Seen) verifier.Seen {
		t.Helper()
		newest, err := s.Saw(ctx, seen)
		ok(t, err)
		return newest
	}
	first := verifier.Seen{
		Issuer: "did:web:issuer.example", Address: "https://issuer.example/lists/1", Purpose: "revocation",
		SignedAt: noon, Digest: "sha256:aa", SeenAt: noon.Add(time.Minute),
	}
	if got := saw(first); !reflect.DeepEqual(got, first) {
		t.Errorf("first: %+v", got)
	}
	newer := first
	newer.SignedAt, newer.Digest, newer.SeenAt = noon.Add(time.Hour), "sha256:bb", noon.Add(2*time.Hour)
	if got := saw(newer); !reflect.DeepEqual(got, newer) {
		t.Errorf("newer: %+v", got)
	}
	// The older one is known for old, by another process too, and changes nothing but when the list was last seen.
	again := first
	again.SeenAt = noon.Add(72 * time.Hour)
	for range 2 {
		if got := saw(again); !got.SignedAt.Equal(newer.SignedAt) || got.Digest != "sha256:bb" || !got.SeenAt.Equal(again.SeenAt) {
			t.Errorf("older: %+v", got)
		}
	}
	// Another issuer's word about the same address, and another purpose, are other lists.
	for _, other := range []verifier.Seen{
		{Issuer: "did:web:other.example", Address: first.Address, Purpose: first.Purpose, SignedAt: noon, Digest: "sha256:cc", SeenAt: noon},
		{Issuer: first.Issuer, Address: first.Address, Purpose: "suspension", SignedAt: noon, Digest: "sha256:dd", SeenAt: noon},
	} {
		if got := saw(other); !reflect.DeepEqual(got, other) {
			t.Errorf("another list: %+v", got)
		}
	}
	if _, err := s.Saw(ctx, verifier.Seen{Issuer: "x", Address: "https://x\x00", Purpose: "p", SignedAt: noon, SeenAt: noon}); err == nil {
		t.Error("a text that Postgres cannot keep is taken")
	}

	// Of two at once the newer stands.
	var both sync.WaitGroup
	for i := range 8 {
		both.Go(func() {
			_, err := s.Saw(ctx, verifier.Seen{Issuer: "did:web:race.example", Address: "https://race.example/1", Purpose: "revocation", SignedAt: noon.Add(time.Duration(i) * time.Second), SeenAt: noon})
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	race := verifier.Seen{Issuer: "did:web:race.example", Address: "https://race.example/1", Purpose: "revocation", SignedAt: noon, SeenAt: noon}
	if got := saw(race); !got.SignedAt.Equal(noon.Add(7 * time.Second)) {
		t.Errorf("after a race: %+v", got)
	}

	// A host that fills it up loses its own.
	flood := func(i int) verifier.Seen {
		return verifier.Seen{
			Issuer: fmt.Sprintf("did:web:flood.example:%d", i), Address: fmt.Sprintf("https://flood.example/%d", i), Purpose: "revocation",
			SignedAt: noon, SeenAt: noon.Add(time.Duration(i) * time.Second),
		}
	}
	for i := range store.MostOfHost + 2 {
		saw(flood(i))
	}
	older := flood(0)
	older.SignedAt = noon.Add(-time.Hour)
	if got := saw(older); !got.SignedAt.Equal(older.SignedAt) {
		t.Errorf("more than its share is kept: %+v", got)
	}
	if got := saw(again); !got.SignedAt.Equal(newer.SignedAt) {
		t.Errorf("a host pushed out another: %+v", got)
	}

	// Housekeeping: what was not seen for long, then what is too much, in small steps.
	steps := 0
	for {
		n, err := s.Purge(ctx, noon.Add(time.Second), store.MostOfHost/2, 100)
		ok(t, err)
		if n > 100 {
			t.Fatalf("%d at once", n)
		}
		if n == 0 {
			break
		}
		steps++
	}
	if steps < 3 {
		t.Errorf("%d steps", steps)
	}
	if got := saw(again); !got.SignedAt.Equal(newer.SignedAt) {
		t.Errorf("what was seen last is forgotten: %+v", got)
	}
	older = flood(store.MostOfHost - 1)
	older.SignedAt = noon.Add(-time.Hour)
	if got := saw(older); !got.SignedAt.Equal(noon) {
		t.Errorf("what was seen lately is forgotten: %+v", got)
	}
	older = flood(3)
	older.SignedAt = noon.Add(-time.Hour)
	if got := saw(older); !got.SignedAt.Equal(older.SignedAt) {
		t.Errorf("more than the most is kept: %+v", got)
	}
}
