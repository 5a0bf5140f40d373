package issuing_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// model is what an award and its certificate should be, told in as few words as possible.
type model struct {
	approved, refused, assessed, named, declared, issued bool
	suspended, revoked                                   bool
}

// act does one thing to the model and tells whether it is allowed.
func (m *model) act(what string) bool {
	switch what {
	case "approve":
		if m.issued {
			return false
		}
		m.approved, m.refused = true, false
	case "refuse":
		if m.issued {
			return false
		}
		m.approved, m.refused = false, true
	case "assess":
		if m.issued {
			return false
		}
		m.assessed = true
	case "lower":
		if m.issued {
			return false
		}
		m.assessed = false
	case "name":
		if m.issued {
			return false
		}
		m.named = true
	case "declare":
		if m.issued {
			return false
		}
		m.declared = true
	case "work":
		m.issued = m.issued || m.approved && m.assessed && m.named && m.declared
	case "suspend":
		if !m.issued || m.revoked {
			return false
		}
		m.suspended = true
	case "reinstate":
		if !m.issued || m.revoked {
			return false
		}
		m.suspended = false
	case "revoke":
		if !m.issued {
			return false
		}
		m.revoked = true
	}
	return true
}

func (m *model) state() string {
	switch {
	case m.revoked:
		return "revoked"
	case m.suspended:
		return "suspended"
	case m.issued:
		return "valid"
	case m.refused:
		return "refused"
	}
	return "waiting"
}

// Whatever people do, in whatever order: the certificate is what it should be, and others see it in the lists.
func TestAnyOrderOfActs(t *testing.T) {
	acts := []string{"approve", "approve", "refuse", "assess", "assess", "lower", "name", "declare", "work", "work", "suspend", "reinstate", "revoke"}
	o := newOffice(t)
	o.ask(everything())
	ctx := t.Context()
	reached := map[string]int{}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 6))
		a := o.earned()
		m := &model{}
		var trail []string
		stamp := credential.Stamp{}
		for range 40 {
			what := acts[r.IntN(len(acts))]
			if m.issued && r.IntN(2) == 0 { // else revocation would come too soon to see much
				what = acts[10+r.IntN(2)]
			}
			trail = append(trail, what)
			before := m.state()
			allowed := m.act(what)
			id := o.award(a.ID).CredentialID
			var err error
			switch what {
			case "approve":
				_, err = o.Decide(ctx, o.issuer, o.in.ID, a.ID, true, "")
			case "refuse":
				_, err = o.Decide(ctx, o.issuer, o.in.ID, a.ID, false, "not yet")
			case "assess":
				_, err = o.Assess(ctx, o.issuer, o.in.ID, a.ID, credential.OnSite)
			case "lower":
				_, err = o.Assess(ctx, o.issuer, o.in.ID, a.ID, credential.Unsupervised)
			case "name":
				_, err = o.ConfirmName(ctx, o.issuer, o.in.ID, a.ID, o.nameOf(a))
			case "declare":
				_, err = o.Declare(ctx, identity.Actor{UserID: a.UserID}, a.ID, credential.NoHelp)
			case "work":
				o.drain()
			case "suspend":
				err = o.credential.Suspend(ctx, o.issuer, id, "asked about")
			case "reinstate":
				err = o.credential.Reinstate(ctx, o.issuer, id, "answered")
			case "revoke":
				err = o.credential.Revoke(ctx, o.issuer, id, "copied")
			}
			var f *fault.Error
			if allowed != (err == nil) || err != nil && (!errors.As(err, &f) || f.Code != fault.Conflict && f.Code != fault.NotFound) {
				t.Fatalf("seed %d, %s: %v, want allowed %v", seed, strings.Join(trail, " "), err, allowed)
			}
			if got := o.whatIs(a, m); got != m.state() {
				t.Fatalf("seed %d, %s: %s, want %s", seed, strings.Join(trail, " "), got, m.state())
			}
			now, err := o.credential.StampOwn(ctx, identity.Actor{UserID: a.UserID})
			o.must(err)
			if wanted := m.issued && before != m.state(); (now != stamp) != wanted {
				t.Fatalf("seed %d, %s: the stamp of devices moves from %v to %v", seed, strings.Join(trail, " "), stamp, now)
			}
			stamp = now
		}
		reached[m.state()]++
	}
	for _, want := range []string{"waiting", "refused", "valid", "suspended", "revoked"} {
		if reached[want] == 0 {
			t.Errorf("no sequence ends %s: %v", want, reached)
		}
	}
}

// whatIs tells what an award and its certificate are, as the store, the check and the published lists say.
func (o *office) whatIs(a issuing.Award, m *model) string {
	o.Helper()
	got := o.award(a.ID)
	if got.State != issuing.Issued {
		if got.CredentialID != "" {
			return "has a certificate and is " + string(got.State)
		}
		// Ready is the moment between the last piece and the signature.
		complete := m.approved && m.assessed && m.named && m.declared
		if (got.State == issuing.Ready) != (complete && !m.refused) {
			return string(got.State)
		}
		if got.State == issuing.Ready {
			return "waiting"
		}
		return string(got.State)
	}
	st := o.held(a)
	for list, set := range map[statuslist.ID]bool{st.Credential.StatusListID: m.revoked, st.Credential.SuspensionListID: m.suspended} {
		l, err := o.db.StatusLists().FindList(o.Context(), list)
		o.must(err)
		places, err := o.db.StatusLists().ListSet(o.Context(), l)
		o.must(err)
		found := false
		for _, p := range places {
			found = found || p == st.Credential.StatusIndex
		}
		if found != set {
			return fmt.Sprintf("%s, and its bit of %s is %v", st.State, l.Purpose, found)
		}
	}
	return string(st.State)
}

// Two changes of one moment, or a clock that goes back: devices still hear of each.
func TestTheStampMovesWhateverTheClocksSay(t *testing.T) {
	o := newOffice(t)
	a := o.earned()
	o.drain()
	learner := identity.Actor{UserID: a.UserID}
	id := o.award(a.ID).CredentialID
	still := o.now().Add(-time.Hour)
	o.credential.Now = func() time.Time { return still }
	seen := map[credential.Stamp]bool{}
	for i := range 6 {
		st, err := o.credential.StampOwn(t.Context(), learner)
		o.must(err)
		if seen[st] {
			t.Fatalf("change %d is not seen: %+v", i, st)
		}
		seen[st] = true
		if i%2 == 0 {
			o.must(o.credential.Suspend(t.Context(), o.issuer, id, "x"))
		} else {
			o.must(o.credential.Reinstate(t.Context(), o.issuer, id, "x"))
		}
	}
}
