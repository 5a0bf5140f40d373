package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// zone is the DNS: TXT records by name. There is nothing else in it.
type zone map[string]string

// serve lets this process ask the zone and no other server, till the test ends.
func (z zone) serve(t *testing.T) {
	t.Helper()
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go z.answer(there)
		return here, nil
	}}
}

// answer speaks DNS over a stream (RFC 1035, 4.2.2) till the other side hangs up.
func (z zone) answer(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		raw := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, raw); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(raw); err != nil || len(m.Questions) != 1 {
			return
		}
		q := m.Questions[0]
		m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RCode: dnsmessage.RCodeNameError}
		m.Additionals = nil
		if text, ok := z[strings.TrimSuffix(q.Name.String(), ".")]; ok && q.Type == dnsmessage.TypeTXT {
			m.RCode = dnsmessage.RCodeSuccess
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}, Body: &dnsmessage.TXTResource{TXT: []string{text}},
			}}
		}
		out, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil { //nolint:gosec // one record is short
			return
		}
	}
}

// claim is what an admin writes into the institution's profile.
func claim(t *testing.T, id identity.InstitutionID, domain string) {
	t.Helper()
	if err := opened(t.Context(), func(a *app.App) error {
		_, err := a.Institution.Update(t.Context(), identity.System(), id, institution.Change{Domain: &domain})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// issuesUnder gives the DID that certificates of an institution name.
func issuesUnder(t *testing.T, id identity.InstitutionID) (did string) {
	t.Helper()
	if err := opened(t.Context(), func(a *app.App) error {
		i, err := a.Credential.FindIssuer(t.Context(), id)
		did = i.DID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return did
}

// has tells which lines are missing, and which of the others are there.
func has(t *testing.T, out string, want []string, not ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(out, s) {
			t.Errorf("%q is missing in\n%s", s, out)
		}
	}
	for _, s := range not {
		if strings.Contains(out, s) {
			t.Errorf("%q is in\n%s", s, out)
		}
	}
}

func TestInstitutionDomain(t *testing.T) {
	newOffice(t)
	river := newInstitution(t, "river")
	record := func(domain string) []string {
		return []string{"TXT  _banyan-institution." + domain, "file https://" + domain + "/.well-known/banyan-institution", "     banyan-institution=" + string(river) + "@learn.example"}
	}
	show := func(want []string, not ...string) {
		t.Helper()
		has(t, says(t, &domainShowCmd{Slug: "river"}), want, not...)
	}
	// check looks for a proof; without one its end is 1, for scripts.
	check := func(proven bool, want []string, not ...string) {
		t.Helper()
		out, err := try(t, &domainCheckCmd{Slug: "river"})
		var end ended
		if proven && err != nil || !proven && (!errors.As(err, &end) || end != 1) {
			t.Errorf("check: %v", err)
		}
		has(t, out, want, not...)
	}
	for _, c := range []command{&domainShowCmd{Slug: "lake"}, &domainCheckCmd{Slug: "lake"}, &domainConfirmCmd{Slug: "lake", Domain: "river.example"}} {
		if out, err := try(t, c); !fault.Is(err, fault.NotFound) || out != "" {
			t.Errorf("%T of nobody: %q, %v", c, out, err)
		}
	}

	// None at all.
	show([]string{"river has no domain"}, "TXT", "claims")
	if _, err := try(t, &domainCheckCmd{Slug: "river"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("check of no domain: %v", err)
	}
	confirmDenied := func(domain, want string) {
		t.Helper()
		before := says(t, &domainShowCmd{Slug: "river"})
		out, err := try(t, &domainConfirmCmd{Slug: "river", Domain: domain})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("confirm %q: %v", domain, err)
		}
		if after := says(t, &domainShowCmd{Slug: "river"}); out != before || after != before {
			t.Errorf("confirm %q told\n%s\nand there is now\n%s", domain, out, after)
		}
	}
	confirmDenied("river.example", "river does not claim river.example")
	confirmDenied("", "river does not claim")
	path := issuesUnder(t, river)

	// Claimed: it is said what the domain must say, and nothing is issued under it.
	claim(t, river, "river.example")
	show(append(record("river.example"), "river claims river.example, not proven yet"), "issues under", "last check")
	// Nothing may be asked here, so nothing is proven; the operator knows why.
	check(false, append(record("river.example"), "not proven yet", "last check ", ": fetching_is_off"), "issues under")
	zone{}.serve(t)
	t.Setenv("BANYAN_FETCH", "on")
	check(false, []string{"not proven yet", ": no_record"}, "issues under")
	zone{"_banyan-institution.river.example": "banyan-institution=" + string(newInstitution(t, "pond")) + "@learn.example"}.serve(t)
	check(false, []string{"not proven yet", ": other_record"}, "issues under")
	if got := issuesUnder(t, river); got != path {
		t.Errorf("without a proof it issues under %s", got)
	}
	value := "banyan-institution=" + string(river) + "@learn.example"
	zone{"_banyan-institution.river.example": value}.serve(t)
	for range 2 {
		check(true, []string{"river issues under river.example (dns, "}, "claims", "TXT", "last check")
	}
	if got := issuesUnder(t, river); got != "did:web:river.example" {
		t.Errorf("with a proof it issues under %s", got)
	}
	// The record is lost later: it is warned of, and what was proven stays.
	zone{}.serve(t)
	check(false, append(record("river.example"), "river issues under river.example (dns, ", ": no_record"), "claims")
	show([]string{"river issues under river.example (dns, ", ": no_record"})

	// Another claim beside it; the operator confirms exactly that one, written out.
	claim(t, river, "delta.example")
	show(append(record("delta.example"), "river issues under river.example", "river claims delta.example"))
	confirmDenied("river.example", "river does not claim river.example")
	confirmDenied("delta.example\u202e", "river does not claim")
	confirmed := "river issues under delta.example (operator, "
	for range 2 {
		has(t, says(t, &domainConfirmCmd{Slug: "river", Domain: " Delta.Example "}), []string{confirmed}, "claims", "TXT")
	}
	show([]string{confirmed}, "claims", "last check")
	if got := issuesUnder(t, river); got != "did:web:delta.example" {
		t.Errorf("after the confirmation it issues under %s", got)
	}
	if err := onInstitution(t.Context(), "pond", func(_ *app.App, in institution.Institution) error {
		if in.Domain != "" || in.Ownership != (institution.Ownership{}) {
			t.Errorf("the other one got %+v", in.Ownership)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
