package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/identity"
)

type bundleCmd struct {
	Build   bundleBuildCmd   `cmd:"" help:"Write a course as a .banyan file or a folder, for a memory card or a messenger."`
	Verify  bundleVerifyCmd  `cmd:"" help:"Read a bundle to its end and tell whether an import would take it. Nothing is kept."`
	Inspect bundleInspectCmd `cmd:"" help:"Tell what a bundle holds, whoever signed it."`
	Import  bundleImportCmd  `cmd:"" help:"Take bundles in and serve them on. An import that was cut goes on where it stopped, from any carrier."`
	Diff    bundleDiffCmd    `cmd:"" help:"Tell what lies between two versions of a course, and what an update costs."`
	List    bundleListCmd    `cmd:"" help:"List courses that came from elsewhere."`
	Back    bundleBackCmd    `cmd:"" help:"Use the version before the one in use again."`
	Remove  bundleRemoveCmd  `cmd:"" help:"Take a course from elsewhere off this server; collect frees its room."`
	Collect bundleCollectCmd `cmd:"" help:"Delete blobs that no bundle names any more, and what was fetched from an address and not taken."`
	Trust   bundleTrustCmd   `cmd:"" help:"Decide whose bundles are taken."`
	Rotate  bundleRotateCmd  `cmd:"" help:"Give an institution a new key to sign bundles."`
}

// selection is which part of a course somebody wants.
type selection struct {
	Locale []string `help:"Languages; the course's own when none is named." placeholder:"ar,en"`
	Tier   string   `default:"all" enum:"text,images,all" help:"text, images (with pictures) or all (recordings too)."`
	Module []string `help:"Only these modules." placeholder:"ID"`
}

func (s selection) rule(source string) choice.Rule {
	r := choice.Rule{Locales: s.Locale, Tier: choice.Tier(s.Tier), Modules: s.Module}
	if len(r.Locales) == 0 {
		r.Locales = []string{source}
	}
	return r
}

type bundleBuildCmd struct {
	Course string `arg:"" help:"Id of a published course."`
	Number int    `name:"number" help:"Version; the newest when left out."`
	selection
	Folder bool   `help:"Write a folder instead of a file."`
	Output string `short:"o" type:"path" help:"File or folder to write; <course>-<version>.banyan or <course>-<version> when left out."`
}

// Run writes a bundle whole or not at all.
func (c *bundleBuildCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		info, err := a.Bundle.Info(ctx, c.Course, c.Number)
		if err != nil {
			return err
		}
		number, rule := info.Root.Number, c.rule(info.Root.SourceLocale)
		path := c.Output
		if path == "" {
			path = fmt.Sprintf("%s-%d", c.Course, number)
			if !c.Folder {
				path += ".banyan"
			}
		}
		var size int64
		if c.Folder {
			size, err = writeFolder(ctx, a, path, c.Course, number, rule)
		} else {
			size, err = writeFile(ctx, a, path, c.Course, number, rule)
		}
		if err != nil {
			return err
		}
		fmt.Printf("%s: version %d of %s, %s, tier %s, %s\n", path, number, c.Course, strings.Join(rule.Locales, " "), rule.Tier, kilobytes(size))
		return nil
	})
}

func writeFile(ctx context.Context, a *app.App, path, course string, number int, rule choice.Rule) (int64, error) {
	p, err := a.Bundle.File(ctx, course, number, rule)
	if err != nil {
		return 0, err
	}
	in, err := p.Open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.CreateTemp(filepath.Dir(path), ".banyan-*")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(out.Name()) }() // gone already when all went well
	bar := newBar(p.Size, filepath.Base(path))
	_, err = io.Copy(io.MultiWriter(out, bar), in)
	bar.end()
	if err = errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err != nil { //nolint:gosec // it is made to be given away
		return 0, err
	}
	return p.Size, os.Rename(out.Name(), path)
}

// writeFolder adds what a folder lacks: what is there under its digest stays. The root comes last, so that a folder with a root is whole.
func writeFolder(ctx context.Context, a *app.App, dir, course string, number int, rule choice.Rule) (size int64, err error) {
	bar := newBar(-1, filepath.Base(dir))
	defer bar.end()
	var root bundle.Frame
	write := func(f bundle.Frame) error {
		path := filepath.Join(dir, filepath.FromSlash(intake.FolderName(f, course)))
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, f.Payload) {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // it is made to be given away
			return err
		}
		if err := os.WriteFile(path+".part", f.Payload, 0o644); err != nil { //nolint:gosec // so is it
			return err
		}
		return os.Rename(path+".part", path)
	}
	err = a.Bundle.Write(ctx, course, number, rule, func(f bundle.Frame) error {
		_, _ = bar.Write(f.Payload)
		size += int64(len(f.Payload))
		if f.Kind == bundle.RootFrame {
			root = f
			return nil
		}
		return write(f)
	})
	if err != nil {
		return 0, err
	}
	return size, write(root)
}

// carrier opens a .banyan file or a folder.
func carrier(path, course string) (c bundle.Carrier, done func(), err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		c, err = intake.Folder(os.DirFS(path), course)
		return c, func() {}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	bar := newBar(info.Size(), filepath.Base(path))
	return bundle.NewReader(io.TeeReader(bufio.NewReaderSize(f, 1<<16), bar)), func() { bar.end(); _ = f.Close() }, nil
}

// carried is what the reading commands have in common.
type carried struct {
	Course string   `help:"Course, where a folder holds several or only this one will do." placeholder:"ID"`
	JSON   bool     `name:"json" help:"Print JSON for other programs."`
	Path   []string `arg:"" help:".banyan files, folders, addresses of .banyan files, or that of another Banyan with --course."`
}

// each opens what is to be read one by one. Rule is what to fetch from an address; nil: all of it.
func (c carried) each(ctx context.Context, rule *choice.Rule, do func(a *app.App, path string, from bundle.Carrier) error) error {
	return opened(ctx, func(a *app.App) error {
		bad := 0
		for _, path := range c.Path {
			err := c.open(ctx, a, path, rule, func(from bundle.Carrier) error { return do(a, path, from) })
			if err != nil {
				bad++
				fmt.Fprintf(os.Stderr, "%s: %s\n", path, app.Explain(err))
			}
		}
		if bad > 0 {
			return fmt.Errorf("%d of %d not taken", bad, len(c.Path))
		}
		return nil
	})
}

func (c carried) open(ctx context.Context, a *app.App, path string, rule *choice.Rule, do func(from bundle.Carrier) error) error {
	fetched := ""
	if isAddress(path) {
		address, err := fileAddress(ctx, path, c.Course, rule)
		if err != nil {
			return err
		}
		if fetched, err = fetchFile(ctx, incoming(a), address); err != nil {
			return err
		}
		path = fetched
	}
	from, done, err := carrier(path, c.Course)
	if err != nil {
		return err
	}
	defer done()
	if err := do(from); err != nil {
		return err
	}
	if fetched != "" {
		return errors.Join(os.Remove(fetched), os.Remove(fetched+".etag"))
	}
	return nil
}

// incoming is where files from an address lie until they are taken.
func incoming(a *app.App) string { return filepath.Join(a.Config.DataDir, "bundles", "incoming") }

type bundleVerifyCmd struct{ carried }

// Run checks bundles against what this server trusts.
func (c *bundleVerifyCmd) Run(ctx context.Context) error {
	return c.each(ctx, nil, func(a *app.App, path string, from bundle.Carrier) error {
		r, err := a.Shelf.Verify(ctx, identity.System(), from, c.Course)
		if err != nil {
			return err
		}
		return c.tell(path, r, true)
	})
}

type bundleInspectCmd struct{ carried }

// Run tells what bundles hold.
func (c *bundleInspectCmd) Run(ctx context.Context) error {
	return c.each(ctx, nil, func(a *app.App, path string, from bundle.Carrier) error {
		r, trusted, err := a.Shelf.Inspect(ctx, identity.System(), from)
		if r.Head.Root.Course == "" {
			return err
		}
		return errors.Join(c.tell(path, r, trusted), err)
	})
}

// reportJSON is what inspect and verify say to other programs.
type reportJSON struct {
	Path      string            `json:"path"`
	Publisher string            `json:"publisher"`
	Name      map[string]string `json:"publisher_name"`
	Trusted   bool              `json:"trusted"`
	Root      bundle.Root       `json:"root"`
	Rule      choice.Rule       `json:"rule"`
	Complete  bool              `json:"complete"`
	intake.Counted
}

func (c carried) tell(path string, r intake.Report, trusted bool) error {
	root, newest := r.Head.Root, r.Head.Chain.Newest()
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(reportJSON{path, root.Publisher, newest.Name, trusted, root, r.Rule, r.Complete, r.Counted})
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n", path)
	fmt.Fprintf(w, "  course\t%s, version %d of %s\n", root.Course, root.Number, root.PublishedAt.Format(time.DateOnly))
	fmt.Fprintf(w, "  signed by\t%s %s on %s\n", nameOf(newest.Name), root.Publisher, root.SignedAt.Format(time.DateOnly))
	fmt.Fprintf(w, "  trusted here\t%t\n", trusted)
	fmt.Fprintf(w, "  licence\t%s\n", root.Licence)
	fmt.Fprintf(w, "  languages\t%s of %s\n", strings.Join(r.Rule.Locales, " "), strings.Join(slices.Sorted(maps.Keys(root.Editions)), " "))
	fmt.Fprintf(w, "  tier\t%s\n", r.Rule.Tier)
	if len(r.Rule.Modules) > 0 {
		fmt.Fprintf(w, "  modules\t%s\n", strings.Join(r.Rule.Modules, " "))
	}
	fmt.Fprintf(w, "  holds\t%d blobs, %s\n", r.Blobs, kilobytes(r.Bytes))
	fmt.Fprintf(w, "  complete\t%t\n", r.Complete)
	if r.Missing > 0 {
		fmt.Fprintf(w, "  missing\t%d blobs, %s\n", r.Missing, kilobytes(r.MissingBytes))
	}
	return w.Flush()
}

type bundleImportCmd struct {
	carried
	Locale []string `help:"Only these languages of what the carrier brings." placeholder:"ar,en"`
	Tier   string   `default:"" enum:",text,images,all" help:"text, images or all; what the carrier brings when left out."`
	Module []string `help:"Only these modules." placeholder:"ID"`
}

// Run takes bundles in.
func (c *bundleImportCmd) Run(ctx context.Context) error {
	o := shelf.ImportOptions{Course: c.Course}
	if len(c.Locale) > 0 || c.Tier != "" || len(c.Module) > 0 {
		if len(c.Locale) == 0 {
			return errors.New("--tier and --module need --locale")
		}
		rule := selection{Locale: c.Locale, Tier: c.Tier, Module: c.Module}.rule("")
		if rule.Tier == "" {
			rule.Tier = choice.AllTier
		}
		o.Rule = &rule
	}
	return c.each(ctx, o.Rule, func(a *app.App, path string, from bundle.Carrier) error {
		got, err := a.Shelf.Import(ctx, identity.System(), from, o)
		if c.JSON {
			enc := json.NewEncoder(os.Stdout)
			enc.SetEscapeHTML(false)
			if jerr := enc.Encode(map[string]any{
				"path": path, "course": got.Course, "number": got.Number, "rule": got.Rule, "complete": got.Complete, "switched": got.Switched, "counted": got.Counted,
			}); jerr != nil {
				return jerr
			}
			return err
		}
		if got.Blobs > 0 {
			fmt.Printf("%s: took %d blobs, %s\n", path, got.Blobs, kilobytes(got.Bytes))
		}
		switch {
		case got.Switched:
			fmt.Printf("%s: version %d is in use\n", got.Course, got.Number)
		case got.Complete:
			fmt.Printf("%s: version %d was in use already\n", got.Course, got.Number)
		case got.Missing > 0:
			fmt.Printf("%s: version %d still lacks %d blobs, %s; the version in use stays\n", got.Course, got.Number, got.Missing, kilobytes(got.MissingBytes))
		}
		return err
	})
}

type bundleDiffCmd struct {
	Course string `arg:"" help:"Id of a course."`
	From   int    `arg:"" help:"Version that readers have."`
	To     int    `arg:"" optional:"" help:"Version that they would get; the newest when left out."`
	selection
	JSON bool `name:"json" help:"Print JSON for other programs."`
}

// Run tells what lies between two versions.
func (c *bundleDiffCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		info, err := a.Bundle.Info(ctx, c.Course, c.To)
		if err != nil {
			return err
		}
		plan, err := a.Bundle.Plan(ctx, c.Course, c.To, c.rule(info.Root.SourceLocale), c.From, 0)
		if err != nil {
			return err
		}
		if plan.From == 0 {
			return fmt.Errorf("version %d of %s is not here", c.From, c.Course)
		}
		if c.JSON {
			enc := json.NewEncoder(os.Stdout)
			return enc.Encode(map[string]any{"course": c.Course, "from": c.From, "to": plan.Number, "transfer_bytes": plan.TransferBytes, "diff": plan.Changed})
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, i := range plan.Changed.Items {
			fmt.Fprintf(w, "%s\t%s\t%s/%s\n", i.Change, i.Locale, i.Module, i.Item)
		}
		for _, l := range plan.Changed.Details {
			fmt.Fprintf(w, "details\t%s\ttitles, order or criteria\n", l)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Printf("%d -> %d: %d blobs, an update sends %s\n", c.From, plan.Number, plan.Changed.Blobs, kilobytes(plan.TransferBytes))
		return nil
	})
}

type bundleListCmd struct{}

// Run lists what was imported.
func (bundleListCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		list, err := a.Shelf.ListInstalled(ctx, identity.System())
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, i := range list {
			number := func(r *bundle.Root) string {
				if r == nil {
					return "-"
				}
				return fmt.Sprint(r.Number)
			}
			missing := ""
			if i.Candidate != nil {
				missing = fmt.Sprintf("version %d lacks %s", i.Candidate.Number, kilobytes(i.Missing.MissingBytes))
			}
			fmt.Fprintf(w, "%s\tin use %s\tbefore %s\t%s %s\t%s\t%s\n", i.Course, number(i.Root), number(i.Previous), strings.Join(i.Rule.Locales, " "), i.Rule.Tier, i.Publisher, missing)
		}
		return w.Flush()
	})
}

type bundleBackCmd struct {
	Course string `arg:"" help:"Id of an imported course."`
}

// Run switches back.
func (c *bundleBackCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		root, err := a.Shelf.SwitchBack(ctx, identity.System(), c.Course)
		if err != nil {
			return err
		}
		fmt.Printf("%s: version %d is in use\n", c.Course, root.Number)
		return nil
	})
}

type bundleRemoveCmd struct {
	Course string `arg:"" help:"Id of an imported course."`
}

// Run forgets a course.
func (c *bundleRemoveCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error { return a.Shelf.Remove(ctx, identity.System(), c.Course) })
}

type bundleCollectCmd struct{}

// Run frees room.
func (bundleCollectCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		freed, err := a.Shelf.Collect(ctx, identity.System())
		if err != nil {
			return err
		}
		// What was fetched and never taken.
		if err := os.RemoveAll(incoming(a)); err != nil {
			return err
		}
		fmt.Printf("deleted %d blobs, %s\n", freed.Blobs, kilobytes(freed.Bytes))
		return nil
	})
}

type bundleTrustCmd struct {
	List   bundleTrustListCmd   `cmd:"" help:"List whose bundles are taken."`
	Add    bundleTrustAddCmd    `cmd:"" help:"Take the bundles of a publisher: from its documents, or from a bundle of its own that somebody you trust gave you."`
	Remove bundleTrustRemoveCmd `cmd:"" help:"Take a publisher's bundles no more."`
	Show   bundleTrustShowCmd   `cmd:"" help:"Print the documents of a publisher, for another server's add."`
}

// truster is for whom a decision holds.
type truster struct {
	Institution string `help:"Only for this institution (its id); for the whole server when left out." placeholder:"ID"`
}

func (t truster) id() identity.InstitutionID { return identity.InstitutionID(t.Institution) }

type bundleTrustListCmd struct{ truster }

// Run lists trusted publishers.
func (c *bundleTrustListCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		list, err := a.Trust.ListTrusted(ctx, identity.System(), c.id())
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, p := range list {
			fmt.Fprintf(w, "%s\t%s\t%d documents\n", p.ID, nameOf(p.Name), len(p.Documents))
		}
		return w.Flush()
	})
}

type bundleTrustAddCmd struct {
	truster
	Path string `arg:"" type:"existingpath" help:"Documents as show prints them, a .banyan file or a folder."`
}

// Run trusts a publisher.
func (c *bundleTrustAddCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		documents, err := publisherDocuments(c.Path)
		if err != nil {
			return err
		}
		p, err := a.Trust.Trust(ctx, identity.System(), c.id(), documents...)
		if err != nil {
			return err
		}
		fmt.Printf("%s (%s) is trusted\n", p.ID, nameOf(p.Name))
		return nil
	})
}

// publisherDocuments reads signed documents, two lines each, or takes them from a bundle.
func publisherDocuments(path string) ([][]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && filepath.Ext(path) != ".banyan" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		lines := strings.SplitAfter(string(text), "\n")
		var out [][]byte
		for i := 0; i+1 < len(lines); i += 2 {
			out = append(out, []byte(lines[i]+lines[i+1]))
		}
		return out, nil
	}
	from, done, err := carrier(path, "")
	if err != nil {
		return nil, err
	}
	defer done()
	var out [][]byte
	for {
		f, err := from.Next()
		if errors.Is(err, io.EOF) || err == nil && f.Kind != bundle.PublisherFrame {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, f.Payload)
	}
}

type bundleTrustRemoveCmd struct {
	truster
	Publisher string `arg:"" help:"Its DID."`
}

// Run takes trust back.
func (c *bundleTrustRemoveCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		return a.Trust.Distrust(ctx, identity.System(), c.id(), c.Publisher)
	})
}

type bundleTrustShowCmd struct {
	Publisher string `arg:"" optional:"" help:"Its DID; every publisher of this server when left out."`
}

// Run prints documents.
func (c *bundleTrustShowCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		list, err := a.Trust.Publishers(ctx, identity.System())
		if err != nil {
			return err
		}
		for _, p := range list {
			if c.Publisher == "" && p.Own || c.Publisher == p.ID {
				for _, d := range p.Documents {
					fmt.Print(d)
				}
			}
		}
		return nil
	})
}

type bundleRotateCmd struct {
	Institution string `arg:"" help:"Its id."`
	Lost        bool   `help:"The old key may be in wrong hands: what it signed is taken by nobody any more."`
}

// Run rotates the key.
func (c *bundleRotateCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		p, err := a.Publisher.Rotate(ctx, identity.System(), identity.InstitutionID(c.Institution), c.Lost)
		if err != nil {
			return err
		}
		fmt.Printf("%s signs with a new key; its document has serial %d\n", p.ID, p.Serial)
		return nil
	})
}

// nameOf is a publisher's name in English, or else the first that it gives.
func nameOf(names map[string]string) string {
	if n, ok := names["en"]; ok {
		return n
	}
	for _, l := range slices.Sorted(maps.Keys(names)) {
		return names[l]
	}
	return ""
}

func kilobytes(n int64) string { return fmt.Sprintf("%.1f kB", float64(n)/1000) }

// bar shows how far a long reading or writing is, on a terminal; elsewhere it says nothing.
type bar struct{ *progressbar.ProgressBar }

func newBar(size int64, what string) bar {
	info, err := os.Stderr.Stat()
	visible := err == nil && info.Mode()&os.ModeCharDevice != 0
	return bar{progressbar.NewOptions64(size,
		progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetVisibility(visible), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)}
}

func (b bar) end() { _ = b.Finish() }
