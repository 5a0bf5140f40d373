package trust_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/identity"
)

func TestWhoMay(t *testing.T) {
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	ctx := t.Context()
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, servertest.Both)
	doc := []byte(servertest.Must(hub.Publishers(ctx, identity.Actor{}))(t)[0].Documents[0])
	id := servertest.Must(hub.Publishers(ctx, identity.Actor{}))(t)[0].ID
	other := servertest.Must(uuid.NewV7())(t).String()
	person := func(in identity.InstitutionID, roles ...identity.Role) identity.Actor {
		a := identity.Actor{UserID: "u"}
		for _, r := range roles {
			a.Memberships = append(a.Memberships, identity.Membership{InstitutionID: in, Role: r})
		}
		return a
	}
	admin := person(node.School, identity.Admin)
	for _, tt := range []struct {
		name    string
		by      identity.Actor
		in      identity.InstitutionID
		want    string
		changes string
	}{
		{"nobody", identity.Actor{}, "", "session.required", "session.required"},
		{"a learner", person(node.School, identity.Learner), node.School, "bundle.trust_denied", "bundle.denied"},
		{"a trainer", person(node.School, identity.Trainer), node.School, "bundle.trust_denied", "bundle.denied"},
		{"an admin for the server", admin, "", "bundle.trust_denied", "bundle.denied"},
		{"an admin of another school", person(identity.InstitutionID(other), identity.Admin), node.School, "bundle.trust_denied", "bundle.denied"},
		{"an admin with a token that only reads", identity.Actor{UserID: "u", Memberships: admin.Memberships, Scopes: []identity.Scope{identity.ScopeRead}}, node.School, "bundle.trust_denied", "bundle.denied"},
		{"an admin", admin, node.School, "ok", "bundle.denied"},
		{"the operator", identity.Actor{UserID: "o", Operator: true}, "", "ok", "ok"},
	} {
		_, err := node.Trust(ctx, tt.by, tt.in, doc)
		_, errList := node.ListTrusted(ctx, tt.by, tt.in)
		errNot := node.Distrust(ctx, tt.by, tt.in, id)
		if bundletest.Outcome(err) != tt.want || bundletest.Outcome(errList) != tt.want || bundletest.Outcome(errNot) != tt.want {
			t.Errorf("%s: %v, %v, %v", tt.name, err, errList, errNot)
		}
		_, errIn := node.ListInstalled(ctx, tt.by)
		_, errCollect := node.Collect(ctx, tt.by)
		_, _, errInspect := node.Inspect(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)))
		for _, err := range []error{errIn, errCollect, errInspect} {
			if bundletest.Outcome(err) != tt.changes {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if tt.changes != "ok" {
			_, errImport := node.Import(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)), shelf.ImportOptions{})
			_, errSwitch := node.SwitchBack(ctx, tt.by, "small")
			_, errVerify := node.Verify(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)), "")
			for _, err := range []error{errImport, errSwitch, errVerify, node.Remove(ctx, tt.by, "small")} {
				if bundletest.Outcome(err) != tt.changes {
					t.Errorf("%s: %v", tt.name, err)
				}
			}
		}
	}
	// Whom a school trusts its people see; the server itself does not import from them.
	servertest.Must(node.Trust(ctx, admin, node.School, doc))(t)
	if seen := servertest.Must(node.Publishers(ctx, person(node.School, identity.Learner)))(t); len(seen) != 1 || seen[0].ID != id || seen[0].InstitutionID != node.School {
		t.Errorf("%+v", seen)
	}
	if seen := servertest.Must(node.Publishers(ctx, identity.Actor{}))(t); len(seen) != 0 {
		t.Errorf("%+v", seen)
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.unknown_publisher" {
		t.Error(err)
	}
	r, trusted, err := node.Inspect(ctx, servertest.Operator, bundle.NewReader(bytes.NewReader(one)))
	if err != nil || trusted || r.Head.Root.Course != "small" || !r.Complete {
		t.Errorf("%+v %v %v", r, trusted, err)
	}
}

// A publisher whose clock is years ahead harms nobody but itself.
func TestAnothersClockIsNotOurs(t *testing.T) {
	hub, ahead, node := servertest.New(t, "hub.example"), servertest.New(t, "ahead.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	ahead.Clock = bundletest.Day(1).AddDate(70, 0, 0)
	node.Trusts(t, hub)
	ahead.Publish(t, 1)
	node.Trusts(t, ahead)
	if got, err := node.Take(t, hub.Packed(t, 1, servertest.Both), nil); err != nil || !got.Complete {
		t.Errorf("%+v %v", got, err)
	}
}
