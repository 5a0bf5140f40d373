package issuing_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
)

// overtaken is a press that does something else each time, when its signatures are made and not stored yet.
type overtaken struct {
	issuing.Press
	then func()
}

func (p overtaken) Prepare(ctx context.Context, grants ...credential.Grant) ([]credential.Credential, error) {
	cs, err := p.Press.Prepare(ctx, grants...)
	if len(grants) > 0 {
		p.then()
	}
	return cs, err
}

type pressFunc func(ctx context.Context, grants ...credential.Grant) ([]credential.Credential, error)

func (f pressFunc) Prepare(ctx context.Context, grants ...credential.Grant) ([]credential.Credential, error) {
	return f(ctx, grants...)
}

// takeBack revokes the key that the institution signs with, from now on.
func (o *office) takeBack() {
	o.Helper()
	keys, err := o.db.Keyring().ListKeys(o.Context(), o.in.ID)
	o.must(err)
	for _, k := range keys {
		if k.RetiredAt == nil {
			must(o.T, second(o.keys.Revoke(o.Context(), o.admin, o.in.ID, k.ID, o.now(), "lost")))
			return
		}
	}
	o.Fatal("no key")
}

// Each key is taken back while a worker has what it signed in hand. It stores none of it, and signs anew.
func TestAKeyIsTakenBackInMidwork(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.ask(issuing.Terms{Approval: true})
		as := []issuing.Award{o.earned(), o.earned(), o.earned()}
		o.start(o.issuer, issuing.NewBatch{})
		left := 3
		o.Press = overtaken{o.credential, func() {
			if left--; left >= 0 {
				o.takeBack()
			}
		}}
		o.drain()
		if left >= 0 {
			t.Fatalf("the work was done %d times too few", left+1)
		}
		for _, a := range as {
			if st := o.held(a); st.State != credential.Valid {
				t.Errorf("%s, key %v", st.State, st.RevokedKey)
			}
		}
	})
}

// A key that was rotated signs nothing that is later than its last minute, however long a worker kept it.
func TestAKeyIsRotatedLongBefore(t *testing.T) {
	o := newOffice(t)
	a := o.earned()
	first := true
	o.Press = pressFunc(func(ctx context.Context, grants ...credential.Grant) ([]credential.Credential, error) {
		if !first {
			return o.credential.Prepare(ctx, grants...)
		}
		first = false
		cs, err := o.credential.Prepare(ctx, grants...)
		// The rotation is written down two minutes before by a machine whose clock is late: the signature is later than the key's last minute.
		late := &keyring.Service{
			Store: o.keys.Store, Institutions: o.keys.Institutions, Sealer: o.keys.Sealer, PublicURL: o.keys.PublicURL,
			Random: o.keys.Random, NewID: newV7, Now: func() time.Time { return cs[0].IssuedAt.Add(-2 * time.Minute) },
		}
		must(t, second(late.Rotate(ctx, o.admin, o.in.ID, keyring.KeyID(newV7()))))
		return cs, err
	})
	o.drain()
	if st := o.held(a); st.State != credential.Valid {
		t.Errorf("%s", st.State)
	}
}

// Workers issue while keys are taken back. The log has the order in which all of it was stored: after the revocation of a key nothing
// of that key comes in.
func TestNothingOfARevokedKeyIsStored(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		const learners, workers, revocations = 40, 3, 5 // fewer than a job's tries
		for range learners {
			o.earned()
		}
		wake := make(chan struct{}, revocations)
		var mu sync.Mutex
		calls := 0
		o.Press = overtaken{o.credential, func() {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls%4 == 1 && calls < 4*revocations {
				wake <- struct{}{}
			}
		}}
		jobs := o.due(issuing.IssueKind)
		var wg, revoker sync.WaitGroup
		revoker.Go(func() {
			for range wake {
				o.takeBack()
			}
		})
		for range workers {
			wg.Go(func() {
				for _, j := range jobs {
					if err := o.Issue(t.Context(), j); err != nil {
						t.Errorf("%s: %v", j.Kind, err)
					}
				}
			})
		}
		wg.Wait()
		close(wake)
		revoker.Wait()

		signer := map[string]string{} // credential -> method
		cs, err := o.db.Credential().ListInstitutionCredentials(t.Context(), o.in.ID, credential.Filter{}, "", 1000)
		must(t, err)
		for _, c := range cs {
			var d struct {
				Proof []struct {
					Method string `json:"verificationMethod"`
				} `json:"proof"`
			}
			must(t, json.Unmarshal(c.Document, &d))
			signer[string(c.ID)] = d.Proof[0].Method
		}
		es, err := o.db.Audits().List(t.Context(), string(o.in.ID), 0, 1000)
		must(t, err)
		issued, revoked := 0, map[string]bool{}
		for _, e := range es {
			var data struct{ Credential, Method string }
			must(t, json.Unmarshal(e.Data, &data))
			switch e.Kind {
			case audit.KeyRevoked:
				revoked[data.Method] = true
			case audit.CredentialIssued:
				issued++
				if m := signer[data.Credential]; m == "" || revoked[m] {
					t.Errorf("entry %d stores what %s signed, which had been revoked", e.N, m[strings.LastIndexByte(m, '#')+1:])
				}
			}
		}
		if issued != learners || len(revoked) != revocations {
			t.Errorf("%d issued, %d keys revoked", issued, len(revoked))
		}
	})
}
