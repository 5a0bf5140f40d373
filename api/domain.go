package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

type domainCmd struct {
	Show    domainShowCmd    `cmd:"" help:"Tell which domain an institution claims or has, and what the domain must say to prove it."`
	Check   domainCheckCmd   `cmd:"" help:"Ask the domain whether it names the institution, in a TXT record or a file."`
	Confirm domainConfirmCmd `cmd:"" help:"Vouch that the domain which an institution claims is its own, where the domain cannot be asked. Certificates are issued under it from then on."`
}

type domainShowCmd struct {
	Slug string `arg:"" help:"Short name of the institution."`
}

// Run shows and changes nothing.
func (c *domainShowCmd) Run(ctx context.Context) error {
	return onInstitution(ctx, c.Slug, func(a *app.App, in institution.Institution) error {
		printDomain(a, in)
		return nil
	})
}

type domainCheckCmd struct {
	Slug string `arg:"" help:"Short name of the institution."`
}

// Run asks the domain; without a proof it ends with code 1.
func (c *domainCheckCmd) Run(ctx context.Context) error {
	return onInstitution(ctx, c.Slug, func(a *app.App, in institution.Institution) error {
		in, err := a.Institution.CheckDomain(ctx, identity.System(), in.ID)
		if err != nil {
			return err
		}
		printDomain(a, in)
		if in.Ownership.Problem != "" {
			return ended(1)
		}
		return nil
	})
}

type domainConfirmCmd struct {
	Slug   string `arg:"" help:"Short name of the institution."`
	Domain string `arg:"" help:"The domain that it claims, written out: so that nobody confirms another one than they mean."`
}

// Run confirms. Twice is no error.
func (c *domainConfirmCmd) Run(ctx context.Context) error {
	return onInstitution(ctx, c.Slug, func(a *app.App, in institution.Institution) error {
		domain := strings.ToLower(strings.TrimSpace(c.Domain))
		if domain == "" || domain != in.Wanted() {
			printDomain(a, in)
			return fmt.Errorf("%s does not claim %s: its admin writes it into the institution's profile first", in.Slug, printable(c.Domain))
		}
		in, err := a.Institution.ConfirmDomain(ctx, identity.System(), in.ID, domain)
		if err != nil {
			return err
		}
		printDomain(a, in)
		return nil
	})
}

// onInstitution opens the services for what is done to one institution.
func onInstitution(ctx context.Context, slug string, do func(a *app.App, in institution.Institution) error) error {
	return opened(ctx, func(a *app.App) error {
		in, err := a.Institution.FindBySlug(ctx, slug)
		if err != nil {
			return err
		}
		return do(a, in)
	})
}

func printDomain(a *app.App, in institution.Institution) {
	o := in.Ownership
	if in.Domain != "" {
		fmt.Printf("%s issues under %s (%s, %s)\n", in.Slug, in.Domain, o.Proof, o.ProvenAt.Format(time.DateOnly))
	}
	if o.Claim != "" {
		fmt.Printf("%s claims %s, not proven yet\n", in.Slug, o.Claim)
	}
	if in.Wanted() == "" {
		fmt.Printf("%s has no domain\n", in.Slug)
		return
	}
	if o.Problem != "" {
		fmt.Printf("last check %s: %s\n", o.CheckedAt.Format(time.DateTime), o.Problem)
	}
	if o.Claim != "" || o.Problem != "" {
		r := a.Institution.RecordOf(in.ID, in.Wanted())
		fmt.Printf("TXT  %s\nfile %s\n     %s\n", r.Name, r.URL, r.Value)
	}
}
