package institution

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// A domain in a DID is believed by everybody who trusts this server, so an admin's word for it is not enough. The domain itself must name the
// institution: in the DNS, or in a file on its site. That this server answers under a name proves nothing, for it answers for all its institutions.

// Ownership is what is known of who owns a domain. The institution's Domain is one that was proven, and what it issues under; Claim is one that is
// not proven yet.
type Ownership struct {
	Claim     string    `json:"claim,omitempty"`
	Proof     Proof     `json:"proof,omitempty"`     // of Domain
	ProvenAt  time.Time `json:"proven_at,omitzero"`  // the same
	CheckedAt time.Time `json:"checked_at,omitzero"` // when it was last looked for a proof; zero: never
	Problem   Problem   `json:"problem,omitempty"`   // why none was found then
}

// Proof is how a domain was proven.
type Proof string

// The proofs.
const (
	ByDNS      Proof = "dns"
	ByFile     Proof = "file"
	ByOperator Proof = "operator" // who runs the server vouches for it
)

// Problem is why no proof was found. Its words are the message key institution.domain.<Problem>.
type Problem string

// The problems.
const (
	NoRecord      Problem = "no_record"       // the domain answers and says nothing
	OtherRecord   Problem = "other_record"    // it names another institution, or another server
	NoAnswer      Problem = "no_answer"       // it does not answer
	FetchingIsOff Problem = "fetching_is_off" // nothing is asked for here; the operator may confirm it
)

// Record is what proves that a domain is an institution's: a TXT record, or the line of a file.
type Record struct {
	Domain string
	Name   string // of the TXT record
	URL    string // of the file
	Value  string
}

const recordStart = "banyan-institution="

// RecordOf gives what the domain must say. It is no secret: only who owns the domain can have it said.
func (s *Service) RecordOf(id identity.InstitutionID, domain string) Record {
	return Record{
		Domain: domain, Name: "_banyan-institution." + domain, URL: "https://" + domain + "/.well-known/banyan-institution",
		Value: recordStart + string(id) + "@" + s.PublicHost,
	}
}

// ErrFetchingIsOff says that nothing is asked for on this server.
var ErrFetchingIsOff = errors.New("fetching is turned off")

// Domains asks domains what they say. Its errors say that there was no answer; ErrFetchingIsOff that none was asked for.
type Domains interface {
	// Texts gives the TXT records of a name, none when there are none.
	Texts(ctx context.Context, name string) ([]string, error)
	// File gives the text at an address, "" when there is none.
	File(ctx context.Context, url string) (string, error)
}

// How often the proof of a domain may be looked for: it asks other hosts.
const (
	domainChecks       = 20
	domainChecksWithin = time.Hour
)

// FindDomain gives the institution with what is known of its domain. For its admins and the operator.
func (s *Service) FindDomain(ctx context.Context, by identity.Actor, id identity.InstitutionID) (Institution, error) {
	if !mayAdminister(by, id) {
		return Institution{}, fault.New(fault.Denied, "institution.members_denied")
	}
	return s.Store.FindInstitution(ctx, id)
}

// CheckDomain looks whether the domain that an institution claims, or the one that it has, says so. A claim that is proven becomes its domain,
// and it issues under it from then on. Without a proof nothing changes but what is known of it: a domain that was proven once stays, with
// a warning, because its certificates rest on it. For admins and the operator. fault.Invalid institution.no_domain: there is none.
func (s *Service) CheckDomain(ctx context.Context, by identity.Actor, id identity.InstitutionID) (Institution, error) {
	if !mayAdminister(by, id) || !by.Scoped(identity.ScopeAdmin) {
		return Institution{}, fault.New(fault.Denied, "institution.members_denied")
	}
	in, err := s.Store.FindInstitution(ctx, id)
	if err != nil {
		return Institution{}, err
	}
	domain := in.Wanted()
	if domain == "" {
		return Institution{}, fault.New(fault.Invalid, "institution.no_domain")
	}
	if !by.System {
		if err := s.Identity.Admit(ctx, "domain", string(id), domainChecks, domainChecksWithin); err != nil {
			return Institution{}, err
		}
	}
	proof, problem := s.look(ctx, s.RecordOf(id, domain))
	return s.decide(ctx, by, id, domain, proof, problem)
}

// ConfirmDomain takes the operator's word that a domain is the institution's: where the DNS cannot be asked, as in a network of its own.
func (s *Service) ConfirmDomain(ctx context.Context, by identity.Actor, id identity.InstitutionID, domain string) (Institution, error) {
	if !by.MayOperate() {
		return Institution{}, fault.New(fault.Denied, "institution.create_denied")
	}
	return s.decide(ctx, by, id, domain, ByOperator, "")
}

// Wanted is the domain that the institution claims, else the one that it has; "" for none.
func (i Institution) Wanted() string {
	if i.Ownership.Claim != "" {
		return i.Ownership.Claim
	}
	return i.Domain
}

// decide notes what was found out about a domain, unless the institution wants another one by now: fault.Conflict institution.domain_changed.
func (s *Service) decide(ctx context.Context, by identity.Actor, id identity.InstitutionID, domain string, proof Proof, problem Problem) (after Institution, err error) {
	now := s.Now()
	err = s.Store.InTx(ctx, func(tx Store) error {
		before, err := tx.LockInstitution(ctx, id)
		if err != nil {
			return err
		}
		if domain == "" || before.Wanted() != domain {
			return fault.New(fault.Conflict, "institution.domain_changed")
		}
		next := before.Ownership
		next.CheckedAt, next.Problem = now, problem
		c := Change{Ownership: &next}
		if proof != "" {
			if before.Domain != domain || next.ProvenAt.IsZero() {
				next.ProvenAt = now
			}
			next.Claim, next.Proof, c.Domain = "", proof, &domain
		}
		if err := tx.UpdateInstitution(ctx, id, c); err != nil {
			return err
		}
		if after, err = tx.FindInstitution(ctx, id); err != nil || after.Domain == before.Domain {
			return err
		}
		return tx.Audit(ctx, s.entry(id, by, audit.DomainChanged, map[string]any{"from": before.Domain, "to": after.Domain, "proof": string(proof)}))
	})
	return after, err
}

// look asks a domain.
func (s *Service) look(ctx context.Context, r Record) (Proof, Problem) {
	if s.Domains == nil {
		return "", FetchingIsOff
	}
	others := false
	says := func(texts []string) bool {
		for _, text := range texts {
			if text = strings.TrimSpace(text); strings.HasPrefix(text, recordStart) && text != r.Value {
				others = true
			}
		}
		return slices.ContainsFunc(texts, func(text string) bool { return strings.TrimSpace(text) == r.Value })
	}
	texts, errTexts := s.Domains.Texts(ctx, r.Name)
	if errTexts == nil && says(texts) {
		return ByDNS, ""
	}
	file, errFile := s.Domains.File(ctx, r.URL)
	if errFile == nil && says(strings.Split(file, "\n")) {
		return ByFile, ""
	}
	switch {
	case others:
		return "", OtherRecord
	case errors.Is(errTexts, ErrFetchingIsOff) || errors.Is(errFile, ErrFetchingIsOff):
		return "", FetchingIsOff
	case errTexts != nil && errFile != nil:
		return "", NoAnswer
	}
	return "", NoRecord
}

// RecheckDomains looks again for the proofs of domains that were not looked for since before, of at most so many institutions. For our own jobs.
func (s *Service) RecheckDomains(ctx context.Context, before time.Time, most int) error {
	for after := identity.InstitutionID(""); most > 0; {
		list, err := s.Store.ListInstitutions(ctx, after, 100)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, in := range list {
			after = in.ID
			if in.Domain == "" || in.Wanted() != in.Domain || in.Ownership.Proof == ByOperator || !in.Ownership.CheckedAt.Before(before) || most == 0 {
				continue
			}
			most--
			if _, err := s.CheckDomain(ctx, identity.System(), in.ID); err != nil && !fault.Is(err, fault.Conflict) {
				return err
			}
		}
	}
	return nil
}
