package publisher_test

import (
	"context"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/identity"
)

func TestKeysChangeHands(t *testing.T) {
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	ctx := t.Context()
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, servertest.Both)
	node.Trusts(t, hub)
	if _, err := node.Take(t, one, nil); err != nil {
		t.Fatal(err)
	}
	hub.Clock = bundletest.Day(10).Time
	p := servertest.Must(hub.Rotate(ctx, servertest.Operator, hub.School, true))(t)
	if p.Serial != 2 || len(p.Keys) != 1 {
		t.Fatalf("%+v", p)
	}
	// The same version, signed anew with the new key: the node learns both from the carrier.
	again := hub.Packed(t, 1, servertest.Both)
	got, err := node.Take(t, again, nil)
	if err != nil || !got.Switched || got.Blobs > 1 { // a newer status list
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.key_expired" {
		t.Errorf("what the lost key signed: %v", err)
	}
	if installed := servertest.Must(node.ListInstalled(ctx, servertest.Operator))(t)[0]; installed.Previous != nil {
		t.Errorf("a new signature is no new version: %+v", installed.Previous)
	}
	// A key that is near its end is followed by the next one, and what it signed stays good.
	hub.Clock = hub.Clock.Add(4*365*24*time.Hour + 24*time.Hour)
	later := hub.Packed(t, 1, servertest.Both)
	for _, st := range servertest.Must(hub.Publishers(ctx, identity.Actor{}))(t) {
		if len(st.Documents) != 3 || !st.Own {
			t.Errorf("%+v", st)
		}
	}
	fresh := servertest.New(t, "third.example")
	fresh.Trusts(t, hub)
	if _, err := fresh.Take(t, again, nil); err != nil {
		t.Errorf("signed by the key before: %v", err)
	}
	if _, err := fresh.Take(t, later, nil); err != nil {
		t.Errorf("signed by the newest key: %v", err)
	}
}

// meanwhile is a store in which something happens after the keys were read for the first time.
type meanwhile struct {
	publisher.Store
	do func()
}

func (m *meanwhile) ListKeys(ctx context.Context, in identity.InstitutionID) ([]publisher.Key, error) {
	keys, err := m.Store.ListKeys(ctx, in)
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return keys, err
}

func TestAKeyThatIsTakenAwayWhileItIsReadSignsNothing(t *testing.T) {
	hub := servertest.New(t, "hub.example")
	hub.Publish(t, 1)
	hub.Packed(t, 1, servertest.Both)
	store := hub.PublisherService.Store
	hub.PublisherService.Store = &meanwhile{Store: store, do: func() {
		hub.PublisherService.Store = store
		servertest.Must(hub.Rotate(context.Background(), servertest.Operator, hub.School, true))(t)
	}}
	pack := hub.Packed(t, 1, servertest.Both)
	fresh := servertest.New(t, "third.example")
	fresh.Trusts(t, hub)
	if _, err := fresh.Take(t, pack, nil); err != nil {
		t.Errorf("signed by a key that was given up: %v", err)
	}
}
