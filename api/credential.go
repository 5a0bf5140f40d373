package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/banyan-lms/banyan/api/rest"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/credential/bake"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/i18n"
)

type credentialCmd struct {
	Verify  credentialVerifyCmd  `cmd:"" help:"Tell what a credential is worth, ours or not. Ends with 0 when it is valid, 1 when it is not (invalid, revoked, suspended, expired), 2 when that is not certain, 3 when nothing could be checked."`
	Inspect credentialInspectCmd `cmd:"" help:"Tell what a credential says, and believe nothing of it."`
	Bake    credentialBakeCmd    `cmd:"" help:"Draw a badge that carries a credential."`
}

// ended is how a command ends that has said all already.
type ended int

func (e ended) Error() string { return fmt.Sprintf("ended with %d", int(e)) }

// The ends of credential verify.
const (
	errRefused    ended = 1
	errUncertain  ended = 2
	errNotChecked ended = 3
)

type credentialVerifyCmd struct {
	File    string   `arg:"" help:"JSON, JWT, PNG, SVG or the text of a QR code; - is standard input."`
	Offline bool     `help:"Fetch nothing: rest on what --trust names alone."`
	Trust   []string `type:"existingfile" sep:"none" placeholder:"FILE" help:"What to rely on: a trust pack (from /api/trust) or a bundle, a DID document, a status list. May be given several times."`
	Seen    string   `type:"path" placeholder:"FILE" help:"Remember in this file how new the status lists were, so that an older one is not passed off for them the next time."`
	JSON    bool     `name:"json" help:"Write JSON, as the API answers."`
}

// Run needs no database. Its words are in the terminal's language.
func (c *credentialVerifyCmd) Run(ctx context.Context) error {
	r, words, err := c.check(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "banyan:", app.Explain(err))
		return errNotChecked
	}
	locale := words.Match(config.TerminalLocale())
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(rest.ReportJSON(words, locale, r))
	} else {
		err = tellReport(os.Stdout, words, locale, r)
	}
	if err != nil {
		return errNotChecked
	}
	switch r.State {
	case verifier.Valid:
		return nil
	case verifier.Unknown:
		return errUncertain
	default:
		return errRefused
	}
}

func (c *credentialVerifyCmd) check(ctx context.Context) (verifier.Report, *i18n.Catalogue, error) {
	words, err := i18n.Load()
	if err != nil {
		return verifier.Report{}, nil, err
	}
	in, err := readInput(c.File)
	if err != nil {
		return verifier.Report{}, nil, err
	}
	cfg, err := config.FromEnv()
	if err != nil {
		return verifier.Report{}, nil, err
	}
	v := &verifier.Verifier{Memory: &verifier.Memory{}, MaxAge: time.Duration(cfg.StatusDays) * 24 * time.Hour}
	if !c.Offline {
		if v.Web, err = app.Fetch(cfg); err != nil {
			return verifier.Report{}, nil, err
		}
	}
	for _, path := range c.Trust {
		if err := relyOn(v, path); err != nil {
			return verifier.Report{}, nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	if c.Seen != "" {
		if err := recall(v.Memory, c.Seen); err != nil {
			return verifier.Report{}, nil, fmt.Errorf("read %s: %w", c.Seen, err)
		}
	}
	r, err := v.Verify(ctx, in, verifier.Options{Offline: c.Offline})
	if err == nil && c.Seen != "" {
		err = remember(v.Memory, c.Seen)
	}
	return r, words, err
}

// maxSeenFile is how large a file of what was seen may be: 8,192 lists with long addresses.
const maxSeenFile = 32 << 20

// recall takes up what an earlier check has seen. A file that is not there yet is empty.
func recall(m *verifier.Memory, path string) error {
	raw, err := readFile(path, maxSeenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var all []verifier.Seen
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	for _, s := range all {
		if _, err := m.Saw(context.Background(), s); err != nil {
			return err
		}
	}
	return nil
}

// remember writes the file whole or not at all.
func remember(m *verifier.Memory, path string) error {
	raw, err := json.MarshalIndent(m.Seen(), "", "  ")
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".banyan-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }() // gone already when all went well
	_, err = out.Write(append(raw, '\n'))
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

// maxTrust is how large a file may be that is relied on.
const maxTrust = 128 << 20

// relyOn adds what a file says of issuers and status lists to what a check rests on.
func relyOn(v *verifier.Verifier, path string) error {
	raw, err := readFile(path, maxTrust)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		anybody := func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil }
		found, err := intake.ReadWords(bundle.NewReader(bytes.NewReader(raw)), anybody)
		if err != nil {
			return err
		}
		said := app.Words{
			List: func(context.Context) ([]bundle.Trust, error) { return found.Trusts(), nil },
			Open: found.Blob, From: verifier.Trusted, MaxAge: v.MaxAge,
		}
		v.Issuers, v.Lists, v.Recognisers = append(v.Issuers, said), append(v.Lists, said), append(v.Recognisers, said)
		return nil
	}
	if i, err := verifier.ReadDIDDocument(raw); err == nil {
		i.From, i.Source = verifier.Given, path
		v.Issuers = append(v.Issuers, givenIssuer(i))
		return nil
	}
	list, err := verifier.Read(raw)
	if err != nil || list.Claims.ID == "" {
		return errors.New("neither a trust pack nor a bundle, a DID document or a status list")
	}
	v.Lists = append(v.Lists, givenList{list.Claims.ID, list.Document})
	return nil
}

// givenIssuer is an issuer in a file.
type givenIssuer verifier.Issuer

// FindIssuer implements verifier.Issuers.
func (g givenIssuer) FindIssuer(_ context.Context, did string) (verifier.Issuer, error) {
	if g.DID != did {
		return verifier.Issuer{}, verifier.ErrUnknown
	}
	return verifier.Issuer(g), nil
}

// givenList is a status list in a file.
type givenList struct {
	address string
	text    []byte
}

// FindList implements verifier.Lists. The verifier makes sure that it is the issuer's.
func (g givenList) FindList(_ context.Context, address string) (verifier.List, error) {
	if g.address != address {
		return verifier.List{}, verifier.ErrUnknown
	}
	return verifier.List{Document: g.text, From: verifier.Given}, nil
}

// tellReport writes a report for people.
func tellReport(out io.Writer, words *i18n.Catalogue, locale string, r verifier.Report) error {
	t := func(key string) string { return words.T(locale, key, nil) }
	title, text := verifier.StateWords(r.State)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n%s\n", strings.ToUpper(t(title)), t(text))
	lines := func(list []verifier.Reason) {
		said := map[string]bool{}
		for _, reason := range list {
			key, args := reason.Words(func(at time.Time) string { return words.Date(locale, at) })
			line := words.T(locale, key, args)
			if said[line] {
				continue // of two lists that are as old, one line tells
			}
			said[line] = true
			fmt.Fprintln(w, "-", printable(line))
			if given := reason.Given(); given != "" {
				fmt.Fprintln(w, " ", words.T(locale, "page.verify.reason", map[string]any{"Reason": printable(given)}))
			}
		}
	}
	lines(r.Reasons)
	if r.Readable() {
		fmt.Fprintln(w)
		tellClaims(w, t, func(at time.Time) string { return words.Date(locale, at) }, r.Claims)
	}
	tellRecognised(w, words, locale, r.Recognitions)
	fmt.Fprintf(w, "\n%s\n", t("page.verify.rests"))
	for _, b := range r.RestsOn {
		when := ""
		if !b.At.IsZero() {
			key, args := verifier.AgeWords(r.CheckedAt.Sub(b.At))
			when = words.Moment(locale, b.At) + " (" + words.T(locale, key, args) + ")"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", t("credential.rests."+string(b.Kind)), t("credential.origin."+string(b.From)), when, printable(b.Source))
	}
	if len(r.Notes) > 0 {
		fmt.Fprintf(w, "\n%s\n", t("page.verify.notes"))
		lines(r.Notes)
	}
	return w.Flush()
}

// tellRecognised says who takes it for what.
func tellRecognised(w io.Writer, words *i18n.Catalogue, locale string, list []verifier.Recognition) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", words.T(locale, "page.verify.recognised", nil))
	for _, r := range list {
		fact := func(key, value string) {
			if value != "" {
				fmt.Fprintf(w, "  %s\t%s\n", words.T(locale, key, nil), printable(value))
			}
		}
		text := func(texts map[string]string) string {
			found, _ := verifier.TextIn(texts, locale)
			return found
		}
		fact("page.recognition.by", strings.TrimSpace(text(r.Names)+" "+r.By))
		fact("page.recognition.as", text(r.As))
		fact("page.recognition.scope", text(r.Scope))
		fact("page.recognition.conditions", text(r.Conditions))
		if !r.Until.IsZero() {
			fact("page.verify.expires", words.Date(locale, r.Until))
		}
		fact("page.recognition.known", words.Moment(locale, r.At))
	}
}

func tellClaims(w io.Writer, t func(key string) string, date func(time.Time) string, c verifier.Claims) {
	fact := func(label, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %s\t%s\n", label, printable(value))
		}
	}
	day := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return date(at)
	}
	fact(t("page.verify.to"), c.Name)
	fact(t("page.verify.certificate"), c.Achievement)
	fact(t("page.verify.institution"), strings.TrimSpace(c.IssuerName+" "+c.Issuer))
	fact(t("page.verify.issued"), day(c.ValidFrom))
	fact(t("page.verify.expires"), day(c.ValidUntil))
	for _, r := range c.Results {
		label := r.Name
		if label == "" {
			label = r.Type
		}
		fact(printable(label), r.Value)
	}
}

// printable leaves out what would steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

type credentialInspectCmd struct {
	File string `arg:"" help:"JSON, JWT, PNG, SVG or the text of a QR code; - is standard input."`
	Raw  bool   `help:"Write the credential alone, as it was found."`
}

// Run checks nothing, and says so.
func (c *credentialInspectCmd) Run(context.Context) error {
	in, err := readInput(c.File)
	if err != nil {
		return err
	}
	found, err := verifier.Read(in)
	if err != nil {
		return err
	}
	if c.Raw {
		_, err := fmt.Println(string(found.Document))
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, of which nothing was checked\n", found.Format)
	claims := found.Claims
	fact := func(label, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %s\t%s\n", label, printable(value))
		}
	}
	day := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.Format(time.RFC3339)
	}
	fact("id", claims.ID)
	fact("issuer", claims.Issuer)
	fact("issuer's name", claims.IssuerName)
	fact("holder", claims.Name)
	fact("achievement", claims.Achievement)
	fact("language", claims.Language)
	fact("valid from", day(claims.ValidFrom))
	fact("valid until", day(claims.ValidUntil))
	for _, r := range claims.Results {
		fact("result", strings.TrimSpace(r.Type+" "+r.Name+" "+r.Value))
	}
	for _, a := range claims.Alignments {
		fact("competence", strings.TrimSpace(a.Code+" "+a.Name))
	}
	if found.Payload != nil {
		var d struct {
			Proof  any `json:"proof"`
			Status any `json:"credentialStatus"`
		}
		if err := json.Unmarshal(found.Payload, &d); err != nil {
			return err
		}
		for label, v := range map[string]any{"proof": d.Proof, "status": d.Status} {
			for _, one := range listOf(v) {
				raw, err := json.Marshal(one)
				if err != nil {
					return err
				}
				fact(label, string(raw))
			}
		}
	}
	return w.Flush()
}

func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

type credentialBakeCmd struct {
	File string `arg:"" help:"JSON or JWT of a credential, or a picture that carries one; - is standard input."`
	PNG  string `name:"png" type:"path" placeholder:"FILE" help:"Write a PNG."`
	SVG  string `name:"svg" type:"path" placeholder:"FILE" help:"Write an SVG."`
}

// Run draws a picture of ours, whatever picture the credential came in: of a foreign one nothing is passed on. It checks nothing.
func (c *credentialBakeCmd) Run(context.Context) error {
	if c.PNG == "" && c.SVG == "" {
		return errors.New("name a file to write: --png or --svg")
	}
	in, err := readInput(c.File)
	if err != nil {
		return err
	}
	found, err := verifier.Read(in)
	if err != nil {
		return err
	}
	if found.Payload == nil {
		return errors.New("the text of a QR code is no credential that a picture can carry: bake its JSON")
	}
	d := &bake.Drawer{Fonts: &typeset.Library{}}
	b := bake.Badge{Achievement: found.Claims.Achievement, Issuer: found.Claims.IssuerName, Locale: found.Claims.Language, Seed: found.Claims.Issuer}
	for _, as := range []struct {
		path string
		draw func(bake.Badge, []byte) ([]byte, error)
	}{{c.PNG, d.PNG}, {c.SVG, d.SVG}} {
		if as.path == "" {
			continue
		}
		out, err := as.draw(b, found.Document)
		if err != nil {
			return err
		}
		if err := os.WriteFile(as.path, out, 0o600); err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes\n", as.path, len(out))
	}
	return nil
}

// readInput reads a credential from a file, or from standard input.
func readInput(path string) ([]byte, error) {
	if path == "-" {
		return readMost(os.Stdin, verifier.MaxInput)
	}
	return readFile(path, verifier.MaxInput)
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readMost(f, most)
}

func readMost(r io.Reader, most int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	return raw, err
}
