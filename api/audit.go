package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/institution"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check an audit log, an export or the one in the database, and print its head. Keep heads elsewhere: only who knows one sees that the end was cut off, or all of it written anew."`
	Export auditExportCmd `cmd:"" help:"Write an audit log as lines of JSON."`
}

// whose log it is.
type logOf struct {
	Institution string `help:"Short name of the institution." placeholder:"SLUG"`
	Server      bool   `help:"The log of what concerns no institution but the server."`
}

func (l logOf) id(ctx context.Context, a *app.App) (string, error) {
	if l.Server {
		return audit.Server, nil
	}
	in, err := a.Institution.FindBySlug(ctx, l.Institution)
	return string(in.ID), err
}

type auditVerifyCmd struct {
	File string `arg:"" optional:"" help:"An export, or - for standard input."`
	logOf
	Head string `help:"A head of before, as it was printed." placeholder:"N:HASH"`
}

// Run checks a chain and names what is wrong with it by number.
func (c *auditVerifyCmd) Run(ctx context.Context) error {
	given := 0
	for _, on := range []bool{c.File != "", c.Institution != "", c.Server} {
		if on {
			given++
		}
	}
	if given != 1 {
		return errors.New("name a file, or give --institution or --server")
	}
	want, err := parseHead(c.Head)
	if err != nil {
		return err
	}
	if c.File == "" {
		return opened(ctx, func(a *app.App) error {
			id, err := c.id(ctx, a)
			if err != nil {
				return err
			}
			head, found, err := institution.VerifyAudit(ctx, a.DB.Audits(), id, want)
			if err != nil {
				return err
			}
			return verdict(os.Stdout, head, found)
		})
	}
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	head, found, err := audit.VerifyExport(in, want)
	if err != nil {
		return err
	}
	return verdict(os.Stdout, head, found)
}

func parseHead(text string) (audit.Head, error) {
	if text == "" {
		return audit.Head{}, nil
	}
	number, hash, ok := strings.Cut(text, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 1 || len(hash) != len(audit.Zero) {
		return audit.Head{}, fmt.Errorf("%q is no head: write it as it was printed, number:hash", text)
	}
	return audit.Head{N: n, Hash: strings.ToLower(hash)}, nil
}

// said is what each flaw means.
var said = map[audit.Flaw]string{
	audit.Changed:   "was changed",
	audit.Missing:   "is missing: it was removed, or stands elsewhere",
	audit.Misplaced: "stands in the wrong place: it was swapped, repeated or put in",
	audit.Replaced:  "does not follow the one before: one of the two was put in its place",
	audit.Unread:    "cannot be read: the line is no entry, or has something added",
	audit.Foreign:   "is another institution's",
	audit.Short:     "is missing: the end was cut off",
	audit.OtherHead: "has another hash than the head that is known: all up to it was written anew",
}

func verdict(w io.Writer, head audit.Head, found []audit.Finding) error {
	for _, f := range found {
		fmt.Fprintf(w, "entry %d (line %d) %s\n", f.N, f.Line, said[f.Flaw])
	}
	if head.N > 0 {
		fmt.Fprintf(w, "%d entries, head %d:%s\n", head.N, head.N, head.Hash)
	} else {
		fmt.Fprintln(w, "no entries")
	}
	if len(found) > 0 {
		return errors.New("the audit log does not hold")
	}
	fmt.Fprintln(w, "the chain holds")
	return nil
}

type auditExportCmd struct{ logOf }

// Run writes a chain to standard output.
func (c *auditExportCmd) Run(ctx context.Context) error {
	if (c.Institution == "") != c.Server {
		return errors.New("give --institution or --server")
	}
	return opened(ctx, func(a *app.App) error {
		id, err := c.id(ctx, a)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(os.Stdout)
		if err := institution.WriteAudit(ctx, a.DB.Audits(), id, w); err != nil {
			return err
		}
		return w.Flush()
	})
}

type keysCmd struct {
	Reseal keysResealCmd `cmd:"" help:"Seal all keys anew under the master key in use. Name the earlier one in BANYAN_MASTER_KEY_EARLIER_FILES; afterwards it may go. Can be stopped and run again."`
}

type keysResealCmd struct{}

// Run seals everything anew.
func (keysResealCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		n, err := a.Reseal(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%d sealed anew\n", n)
		return nil
	})
}
