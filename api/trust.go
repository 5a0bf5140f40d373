package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

type trustCmd struct {
	Export trustExportCmd `cmd:"" help:"Write what this server knows of issuers of certificates as a file, for a memory card: with it others check certificates without a network."`
	Import trustImportCmd `cmd:"" help:"Take in what a file says of issuers, from publishers who are trusted here (bundle trust)."`
	Show   trustShowCmd   `cmd:"" help:"Tell what such a file says, whoever signed it. Nothing is kept."`
}

type trustExportCmd struct {
	File        string `arg:"" type:"path" help:"File to write; - writes to the standard output."`
	Institution string `help:"Short name of an institution: what is written is its circle, the words of the publishers whom it trusts, as its members' devices get it. It tells whom the institution trusts." placeholder:"SLUG"`
}

// Run writes the file whole or not at all.
func (c *trustExportCmd) Run(ctx context.Context) error {
	if c.Institution == "" {
		return opened(ctx, func(a *app.App) error { return c.write(a.Trust.TrustPack(ctx)) })
	}
	return onInstitution(ctx, c.Institution, func(a *app.App, in institution.Institution) error {
		p, err := a.Trust.CirclePack(ctx, identity.System(), in.ID)
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("%s trusts no publisher who says anything of issuers yet", in.Slug)
		}
		return c.write(p, err)
	})
}

func (c *trustExportCmd) write(p *packing.Packed, err error) error {
	if err != nil {
		return err
	}
	in, err := p.Open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if c.File == "-" {
		_, err := io.Copy(os.Stdout, in)
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(c.File), ".banyan-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }() // gone already when all went well
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err != nil { //nolint:gosec // it is made to be given away
		return err
	}
	if err := os.Rename(out.Name(), c.File); err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", c.File, kilobytes(p.Size))
	return nil
}

type trustImportCmd struct {
	File string `arg:"" type:"existingfile" help:"File that trust export wrote, or a bundle."`
}

// Run takes words of publishers who are trusted here.
func (c *trustImportCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		w, err := a.Shelf.TakeTrust(ctx, identity.System(), "", bundle.NewReader(f))
		if err != nil {
			return err
		}
		printWords(w)
		for _, id := range w.Strangers {
			fmt.Printf("left out: %s, whom nobody here trusts\n", id)
		}
		return nil
	})
}

type trustShowCmd struct {
	File string `arg:"" type:"existingfile" help:"File that trust export wrote, or a bundle."`
}

// Run reads without a database.
func (c *trustShowCmd) Run() error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w, err := intake.ReadWords(bundle.NewReader(f), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil })
	if err != nil {
		return err
	}
	printWords(w)
	return nil
}

func printWords(w *intake.Words) {
	for _, word := range w.Words {
		fmt.Printf("%s, signed %s\n", word.Trust.Publisher, word.Trust.SignedAt.Format(time.DateTime))
		for _, i := range word.Trust.Issuers {
			fmt.Printf("  %s: %d keys\n", i.DID, len(i.Keys))
			for _, l := range i.Lists {
				fmt.Printf("    %s\n", l.URL)
			}
		}
		for _, r := range word.Trust.Recognitions {
			fmt.Printf("  %s recognises %s of %s\n", printable(r.By), r.Of.Course, printable(r.Of.DID))
		}
	}
}
