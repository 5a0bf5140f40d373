package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

func exerciseAudit(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Audits()
	school := string(w.school.ID)
	entry := func(kind audit.Kind, data map[string]any) audit.Entry {
		return audit.New(w.school.ID, w.learner.ID, noon, kind, data)
	}
	chain := func(t *testing.T, in string) []audit.Entry {
		t.Helper()
		all, err := s.List(ctx, in, 0, 1000)
		ok(t, err)
		var v audit.Verifier
		for _, e := range all {
			v.Add(e)
		}
		head, found := v.Done()
		if len(found) > 0 {
			t.Fatalf("the chain does not hold: %v", found)
		}
		stored, err := s.Head(ctx, in)
		ok(t, err)
		equal(t, "head", stored, head)
		return all
	}

	t.Run("entries come back as they were hashed", func(t *testing.T) {
		if got := chain(t, school); len(got) != 0 {
			t.Fatalf("an empty chain has %d entries", len(got))
		}
		ok(t, w.Credential().Audit(ctx, entry(audit.KeyRotated, map[string]any{"key": "k", "note": "ذكاء \u2028 <&> 😀 \"\\\x01", "n": 7})))
		ok(t, w.Institution().Audit(ctx, audit.New(w.school.ID, identity.UserID(""), noon.Add(1), audit.ProfileChanged, nil)))
		all := chain(t, school)
		if len(all) != 2 || all[0].By != string(w.learner.ID) || all[1].By != "" || !all[0].At.Equal(noon) || all[1].Prev != all[0].Hash {
			t.Errorf("%+v", all)
		}
		if want := "{\"key\":\"k\",\"n\":7,\"note\":\"ذكاء \u2028 <&> 😀 \\\"\\\\\\u0001\"}"; string(all[0].Data) != want {
			t.Errorf("data %s, want %s", all[0].Data, want)
		}
		back, err := s.ListBack(ctx, school, 0, 1)
		ok(t, err)
		if !reflect.DeepEqual(back, all[1:]) {
			t.Errorf("newest %+v", back)
		}
		back, err = s.ListBack(ctx, school, 2, 10)
		ok(t, err)
		if !reflect.DeepEqual(back, all[:1]) {
			t.Errorf("before the newest %+v", back)
		}
		after, err := s.List(ctx, school, 1, 10)
		ok(t, err)
		if !reflect.DeepEqual(after, all[1:]) {
			t.Errorf("after the first %+v", after)
		}
	})

	t.Run("institutions have chains of their own, and the server one", func(t *testing.T) {
		other := w.addSchool(t, "baobab")
		ok(t, w.Credential().Audit(ctx, audit.New(other.ID, w.learner.ID, noon, audit.KeyCreated, nil)))
		ok(t, w.Trust().Audit(ctx, audit.New("", w.learner.ID, noon, audit.PublisherTrusted, nil)))
		equal(t, "entries of the other", len(chain(t, string(other.ID))), 1)
		equal(t, "entries of the server", len(chain(t, audit.Server)), 1)
		equal(t, "entries of the first", len(chain(t, school)), 2)
		for _, in := range []string{"", "x"} {
			got, err := s.List(ctx, in, 0, 10)
			ok(t, err)
			equal(t, "entries of nobody", len(got), 0)
		}
	})

	t.Run("an act that fails leaves no entry and no gap", func(t *testing.T) {
		before := len(chain(t, school))
		stop := errors.New("stop")
		err := w.Credential().InTx(ctx, func(tx credential.Store) error {
			if err := tx.Audit(ctx, entry(audit.KeyRevoked, nil)); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		name := "New name"
		err = w.Institution().InTx(ctx, func(tx institution.Store) error {
			if err := tx.UpdateInstitution(ctx, w.school.ID, institution.Change{Locale: new("fr")}); err != nil {
				return err
			}
			return tx.Audit(ctx, entry(audit.ProfileChanged, map[string]any{"name": strings.Repeat(name, audit.MaxData)}))
		})
		if err == nil {
			t.Error("too much data was taken")
		}
		in, err := w.Institution().FindInstitution(ctx, w.school.ID)
		ok(t, err)
		equal(t, "locale after an act that could not be logged", in.Locale, "")
		ok(t, w.Institution().Audit(ctx, entry(audit.ProfileChanged, nil)))
		equal(t, "entries", len(chain(t, school)), before+1)
	})

	t.Run("many at once make one chain", func(t *testing.T) {
		fresh := w.addSchool(t, "cedar")
		const writers, each = 8, 6
		allOK(t, together(ctx, writers, func(ctx context.Context, i int) error {
			for n := range each {
				e := audit.New(fresh.ID, w.learner.ID, noon, audit.CredentialIssued, map[string]any{"credential": fmt.Sprint(i, ".", n)})
				var err error
				switch i % 3 {
				case 0:
					err = w.Credential().InTx(ctx, func(tx credential.Store) error { return tx.Audit(ctx, e) })
				case 1:
					err = w.Institution().Audit(ctx, e)
				default:
					err = w.Trust().InTx(ctx, func(tx trust.Store) error { return tx.Audit(ctx, e) })
				}
				if err != nil {
					return err
				}
			}
			return nil
		}))
		seen := map[string]bool{}
		all := chain(t, string(fresh.ID))
		for _, e := range all {
			seen[string(e.Data)] = true
		}
		if len(all) != writers*each || len(seen) != writers*each {
			t.Errorf("%d entries, %d different", len(all), len(seen))
		}
	})
}
