package storetest

import (
	"context"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

func exerciseWallet(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Wallet()

	t.Run("names", func(t *testing.T) {
		_, err := s.FindName(ctx, w.learner.ID)
		wantFault(t, err, fault.NotFound, "wallet.name_not_found")
		_, err = s.FindName(ctx, "x")
		wantFault(t, err, fault.NotFound, "wallet.name_not_found")
		n := wallet.Name{UserID: w.learner.ID, Name: "أمينة ديالو", ConfirmedAt: noon}
		ok(t, s.SaveName(ctx, n))
		other := wallet.Name{UserID: w.addUser(t, "named").ID, Name: "Other", ConfirmedAt: noon}
		ok(t, s.SaveName(ctx, other))
		n.Name, n.ConfirmedAt = "Amina", noon.Add(time.Hour)
		ok(t, s.SaveName(ctx, n))
		for _, want := range []wallet.Name{n, other} {
			got, err := s.FindName(ctx, want.UserID)
			ok(t, err)
			equal(t, "name", got, want)
		}
	})

	t.Run("imported", func(t *testing.T) {
		until := noon.Add(time.Hour)
		fresh := func(user identity.UserID, digest string) wallet.Imported {
			return wallet.Imported{
				ID: newID[wallet.ImportedID](), UserID: user, Digest: digest, Format: wallet.JSON, Document: []byte("{\"a\":\"\u0000\xff\"}"),
				Claims: verifier.Claims{Achievement: "ذكاء <&>", Issuer: "did:web:b.example", ValidFrom: noon, ValidUntil: until}, State: "valid",
				Report: wallet.Found{Reasons: []verifier.Reason{{Code: verifier.ExpiredAt, Args: map[string]any{"Date": noon}}}}, CheckedAt: noon, CreatedAt: noon,
			}
		}
		same := func(got, want wallet.Imported) {
			t.Helper()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		user := w.addUser(t, "collector").ID
		a, b, stranger := fresh(user, "a"), fresh(user, "b"), fresh(w.learner.ID, "a")
		for _, i := range []wallet.Imported{a, b, stranger} {
			got, err := s.CreateImported(ctx, i)
			ok(t, err)
			same(got, i)
		}
		got, err := s.CreateImported(ctx, fresh(user, "a"))
		ok(t, err)
		same(got, a)
		a.Claims.ID, a.State = "urn:a", "unknown"
		ok(t, s.UpdateChecked(ctx, a))
		again := fresh(user, "again")
		again.Claims.ID, again.State = "urn:a", "expired"
		got, err = s.CreateImported(ctx, again)
		ok(t, err)
		same(got, a)
		again.State, again.Format, again.Document, again.CheckedAt = "valid", wallet.JWT, []byte("e.y.J"), noon.Add(time.Second)
		got, err = s.CreateImported(ctx, again)
		ok(t, err)
		again.ID = a.ID
		same(got, again)
		a = again
		_, err = s.FindImported(ctx, user, stranger.ID)
		wantFault(t, err, fault.NotFound, "wallet.not_found")
		b.State, b.Report, b.CheckedAt, b.Claims.Achievement = "revoked", wallet.Found{}, noon.Add(time.Minute), "Other"
		ok(t, s.UpdateChecked(ctx, b))
		list, err := s.ListImported(ctx, user)
		ok(t, err)
		if !reflect.DeepEqual(list, []wallet.Imported{a, b}) {
			t.Errorf("list %+v", list)
		}
		theirs := b
		theirs.UserID = w.learner.ID
		wantFault(t, s.UpdateChecked(ctx, theirs), fault.NotFound, "wallet.not_found")
		broken := fresh(user, "c")
		broken.Claims.Name = "\xff"
		_, err = s.CreateImported(ctx, broken)
		wantFault(t, err, fault.Invalid, "database.bad_text")

		sh, err := s.CreateShare(ctx, wallet.Share{ID: newID[wallet.ShareID](), UserID: user, ImportedID: a.ID, Token: "of-a", CreatedAt: noon}, noon)
		ok(t, err)
		wantFault(t, s.DeleteImported(ctx, w.learner.ID, a.ID, noon), fault.NotFound, "wallet.not_found")
		ok(t, s.DeleteImported(ctx, user, a.ID, noon.Add(time.Minute)))
		wantFault(t, s.DeleteImported(ctx, user, a.ID, noon), fault.NotFound, "wallet.not_found")
		sh, err = s.FindShare(ctx, sh.Token)
		ok(t, err)
		if sh.ImportedID != "" || sh.EndedAt == nil || !sh.EndedAt.Equal(noon.Add(time.Minute)) {
			t.Errorf("a share of what was removed: %+v", sh)
		}

		// Two devices at once fill the wallet: no more than fit.
		many := w.addUser(t, "many").ID
		for n := range wallet.MaxImported - 1 {
			_, err := s.CreateImported(ctx, fresh(many, "n"+strconv.Itoa(n)))
			ok(t, err)
		}
		full := 0
		for _, err := range together(ctx, 4, func(ctx context.Context, i int) error {
			_, err := s.CreateImported(ctx, fresh(many, "x"+strconv.Itoa(i)))
			return err
		}) {
			if err != nil {
				wantFault(t, err, fault.Conflict, "wallet.full")
				full++
			}
		}
		equal(t, "refused", full, 3)
	})

	t.Run("shares", func(t *testing.T) {
		user := w.addUser(t, "sharer").ID
		ends := noon.Add(time.Hour)
		i, err := s.CreateImported(ctx, wallet.Imported{
			ID: newID[wallet.ImportedID](), UserID: user, Digest: "d", Format: wallet.JWT, Document: []byte("x"), CheckedAt: noon, CreatedAt: noon,
		})
		ok(t, err)
		fresh := func(token string, created time.Time) wallet.Share {
			return wallet.Share{ID: newID[wallet.ShareID](), UserID: user, ImportedID: i.ID, Token: token, Named: true, CreatedAt: created, EndsAt: &ends}
		}
		older, newer := fresh("t1", noon), fresh("t2", noon.Add(time.Second))
		for _, sh := range []wallet.Share{newer, older} {
			got, err := s.CreateShare(ctx, sh, noon)
			ok(t, err)
			if !reflect.DeepEqual(got, sh) {
				t.Errorf("made %+v", got)
			}
		}
		again := fresh("t3", noon)
		again.ID = older.ID
		got, err := s.CreateShare(ctx, again, noon)
		ok(t, err)
		equal(t, "token of one that was made", got.Token, "t1")
		again.UserID = w.learner.ID
		_, err = s.CreateShare(ctx, again, noon)
		wantFault(t, err, fault.Conflict, "share.exists")

		wantFault(t, s.EndShare(ctx, w.learner.ID, older.ID, noon), fault.NotFound, "share.not_found")
		wantFault(t, s.EndShare(ctx, user, "x", noon), fault.NotFound, "share.not_found")
		ok(t, s.EndShare(ctx, user, older.ID, noon.Add(time.Minute)))
		ok(t, s.EndShare(ctx, user, older.ID, noon.Add(time.Hour)))
		list, err := s.ListShares(ctx, user)
		ok(t, err)
		ended := noon.Add(time.Minute)
		older.EndedAt = &ended
		if !reflect.DeepEqual(list, []wallet.Share{newer, older}) {
			t.Errorf("list %+v", list)
		}
		_, err = s.FindShare(ctx, "T1")
		wantFault(t, err, fault.NotFound, "share.not_found")

		// What is over makes room.
		for n := range wallet.MaxShares {
			_, err := s.CreateShare(ctx, fresh("m"+strconv.Itoa(n), noon), noon.Add(2*time.Hour))
			ok(t, err)
		}
		last := fresh("m", noon)
		last.EndsAt = nil
		_, err = s.CreateShare(ctx, last, noon)
		wantFault(t, err, fault.Conflict, "share.too_many")
		_, err = s.CreateShare(ctx, last, ends)
		ok(t, err)
	})
}
