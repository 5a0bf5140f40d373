package storetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

func exerciseBundle(t *testing.T, w *world) {
	ctx := t.Context()
	const did, other = "did:web:acacia.example", "did:web:baobab.example"

	t.Run("keys", func(t *testing.T) {
		s := w.Publisher()
		k := publisher.Key{
			ID: newID[string](), InstitutionID: w.school.ID, Publisher: did, Multikey: "z6MkOld", Sealed: []byte{0, 255}, CreatedAt: noon, Until: noon.AddDate(5, 0, 0),
		}
		ok(t, s.CreateKey(ctx, k))
		next := k
		next.ID, next.Multikey = newID[string](), "z6MkNew"
		wantFault(t, s.CreateKey(ctx, next), fault.Conflict, "bundle.key_exists")
		err := s.InTx(ctx, func(tx publisher.Store) error {
			if err := tx.RetireKey(ctx, k.ID, noon.Add(time.Hour)); err != nil {
				return err
			}
			return tx.CreateKey(ctx, next)
		})
		ok(t, err)
		retired := noon.Add(time.Hour)
		k.RetiredAt = &retired
		keys, err := s.ListKeys(ctx, w.school.ID)
		ok(t, err)
		if !reflect.DeepEqual(keys, []publisher.Key{k, next}) {
			t.Errorf("keys %+v", keys)
		}
		wantFault(t, s.RetireKey(ctx, newID[string](), noon), fault.NotFound, "bundle.not_found")
		keys, err = s.ListKeys(ctx, "x")
		ok(t, err)
		equal(t, "keys of nobody", len(keys), 0)
	})

	t.Run("documents", func(t *testing.T) {
		s, times := w.Publisher(), w.Trust()
		me, you := publisher.Bearer{Publisher: did}, publisher.Bearer{Publisher: other}
		forger := publisher.Bearer{Publisher: did, Chain: "sha256:forged"}
		newest, err := times.NewestTime(ctx, me)
		ok(t, err)
		equal(t, "newest of none", newest, time.Time{})
		add := func(b publisher.Bearer, kind publisher.DocumentKind, name string, serial int, at time.Time) publisher.Document {
			d := publisher.Document{Bearer: b, Kind: kind, Name: name, Serial: serial, Text: []byte("{\"ع\":1}\n\x00"), SignedAt: at}
			added, err := s.AddDocument(ctx, d)
			ok(t, err)
			equal(t, "added", added, true)
			return d
		}
		second := add(me, publisher.PublisherDocument, "", 2, noon)
		first := add(me, publisher.PublisherDocument, "", 1, noon.Add(-time.Hour))
		root := add(me, publisher.RootDocument, "course", 1, noon)
		foreign := add(you, publisher.PublisherDocument, "", 1, noon.Add(time.Minute))
		list, err := s.ListDocuments(ctx, did, publisher.PublisherDocument)
		ok(t, err)
		if !reflect.DeepEqual(list, []publisher.Document{first, second}) {
			t.Errorf("%+v", list)
		}
		list, err = s.ListDocuments(ctx, "", publisher.PublisherDocument)
		ok(t, err)
		if !reflect.DeepEqual(list, []publisher.Document{first, second, foreign}) {
			t.Errorf("%+v", list)
		}
		// What stands stays; only ReplaceDocument changes it, and only for something newer.
		changed := root
		changed.Text, changed.SignedAt = []byte("newer"), noon.Add(time.Second)
		added, err := s.AddDocument(ctx, changed)
		ok(t, err)
		equal(t, "added again", added, false)
		for _, want := range []bool{true, false} {
			done, err := s.ReplaceDocument(ctx, changed)
			ok(t, err)
			equal(t, "replaced", done, want)
		}
		got, err := s.FindDocument(ctx, me, publisher.RootDocument, "course", 1)
		ok(t, err)
		if !reflect.DeepEqual(got, changed) {
			t.Errorf("%+v, want %+v", got, changed)
		}
		done, err := s.ReplaceDocument(ctx, publisher.Document{Bearer: me, Kind: publisher.TrustDocument, Text: []byte("t"), SignedAt: noon})
		ok(t, err)
		equal(t, "put where none was", done, true)
		_, err = s.FindDocument(ctx, me, publisher.RootDocument, "course", 2)
		wantFault(t, err, fault.NotFound, "bundle.not_found")
		// Who bears the same name has documents of their own, of the same number.
		forged := add(forger, publisher.PublisherDocument, "", 1, noon.AddDate(90, 0, 0))
		add(forger, publisher.TrustDocument, "", 0, noon.AddDate(90, 0, 0))
		list, err = s.ListDocuments(ctx, did, publisher.PublisherDocument)
		ok(t, err)
		if !reflect.DeepEqual(list, []publisher.Document{first, second, forged}) {
			t.Errorf("%+v", list)
		}
		got, err = s.FindDocument(ctx, me, publisher.TrustDocument, "", 0)
		ok(t, err)
		equal(t, "the word", string(got.Text), "t")
		done, err = s.ReplaceDocument(ctx, publisher.Document{Bearer: me, Kind: publisher.TrustDocument, Text: []byte("u"), SignedAt: noon.Add(time.Second)})
		ok(t, err)
		equal(t, "replaced beside a forged one that is newer", done, true)
		for b, want := range map[publisher.Bearer]time.Time{me: noon.Add(time.Second), you: noon.Add(time.Minute), forger: noon.AddDate(90, 0, 0), {Publisher: "did:web:x"}: {}} {
			newest, err = times.NewestTime(ctx, b)
			ok(t, err)
			equal(t, "newest of "+b.Publisher+b.Chain, newest, want)
		}
	})

	t.Run("trust", func(t *testing.T) {
		s := w.Trust()
		second := w.addSchool(t, "baobab")
		rows := []trust.Trusted{
			{Bearer: publisher.Bearer{Publisher: did}, CreatedAt: noon},
			{Bearer: publisher.Bearer{Publisher: other}, CreatedAt: noon},
			{Bearer: publisher.Bearer{Publisher: did}, InstitutionID: w.school.ID, CreatedAt: noon},
			{Bearer: publisher.Bearer{Publisher: did, Chain: "sha256:forged"}, InstitutionID: second.ID, CreatedAt: noon},
		}
		for range 2 {
			for _, r := range rows {
				ok(t, s.AddTrusted(ctx, r))
			}
		}
		list, err := s.ListTrusted(ctx)
		ok(t, err)
		if !reflect.DeepEqual(list, rows[:2]) {
			t.Errorf("the operator's: %+v", list)
		}
		list, err = s.ListTrusted(ctx, w.school.ID, second.ID, "x")
		ok(t, err)
		if !reflect.DeepEqual(list, rows[2:]) {
			t.Errorf("the schools': %+v", list)
		}
		trusted := func(did, chain string, want bool) {
			t.Helper()
			is, err := s.IsTrusted(ctx, publisher.Bearer{Publisher: did, Chain: chain})
			ok(t, err)
			equal(t, "whether anybody trusts "+did+chain, is, want)
		}
		trusted(did, "", true)
		trusted(did, "sha256:forged", true)
		trusted(did, "sha256:another", false)
		trusted("did:web:nobody.example", "", false)
		// One truster has one bearer of a name.
		ok(t, s.AddTrusted(ctx, trust.Trusted{Bearer: publisher.Bearer{Publisher: did, Chain: "sha256:forged"}, CreatedAt: noon}))
		list, err = s.ListTrusted(ctx)
		ok(t, err)
		if !reflect.DeepEqual(list, rows[:2]) {
			t.Errorf("the operator's: %+v", list)
		}
		ok(t, s.RemoveTrusted(ctx, did, ""))
		trusted(did, "", true) // by a school
		wantFault(t, s.RemoveTrusted(ctx, did, ""), fault.NotFound, "bundle.not_found")
		ok(t, s.RemoveTrusted(ctx, did, second.ID))
		list, err = s.ListTrusted(ctx, second.ID, w.school.ID)
		ok(t, err)
		if !reflect.DeepEqual(list, rows[2:3]) {
			t.Errorf("after removal: %+v", list)
		}
		list, err = s.ListTrusted(ctx, identity.InstitutionID("x"))
		ok(t, err)
		equal(t, "of nobody", len(list), 0)
	})

	t.Run("places", func(t *testing.T) {
		s := w.Shelf()
		p := shelf.Place{
			CourseID: "small", Publisher: did, Candidate: []byte("root\n[]\n"), CandidateRule: choice.Rule{Locales: []string{"ar"}, Tier: choice.TextTier}, ChangedAt: noon,
		}
		ok(t, s.SavePlace(ctx, p))
		wantFault(t, s.SavePlace(ctx, p), fault.Conflict, "bundle.changed_meanwhile")
		p.Revision = 1
		got, err := s.FindPlace(ctx, "small")
		ok(t, err)
		if !reflect.DeepEqual(got, p) {
			t.Errorf("%+v, want %+v", got, p)
		}
		p.Rule, p.CandidateRule = p.CandidateRule, choice.Rule{}
		p.Installed, p.Previous, p.Candidate = p.Candidate, []byte("older"), nil
		// Of several who read the same revision one is first.
		errs := together(ctx, 4, func(ctx context.Context, _ int) error { return s.SavePlace(ctx, p) })
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantFault(t, err, fault.Conflict, "bundle.changed_meanwhile")
		}
		equal(t, "who won", won, 1)
		p.Revision = 2
		list, err := s.ListPlaces(ctx)
		ok(t, err)
		if !reflect.DeepEqual(list, []shelf.Place{p}) {
			t.Errorf("%+v, want %+v", list, p)
		}
		ok(t, s.RemovePlace(ctx, "small"))
		ok(t, s.RemovePlace(ctx, "small"))
		_, err = s.FindPlace(ctx, "small")
		wantFault(t, err, fault.NotFound, "bundle.not_found")
	})
}
