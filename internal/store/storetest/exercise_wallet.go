package storetest

import (
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
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
}
