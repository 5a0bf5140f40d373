package web

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	bcp47 "golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
)

// verify tells anyone what a certificate is worth now. Nobody need sign in or
// run a script. Without a language in the address it speaks the reader's, and does not send them
// elsewhere: this address stands in the signed document and on paper.
func (s *Site) verify(c echo.Context) error {
	locale := c.Param("locale")
	h := c.Response().Header()
	switch {
	case locale == "":
		locale = s.reader(c)
		h.Add("Vary", "Accept-Language, Cookie")
	case s.languages[locale] == nil:
		return errNoPage
	}
	standing, err := s.cfg.Credentials.Check(c.Request().Context(), credential.ID(c.Param("id")))
	if err != nil {
		return err
	}
	w := s.writer(locale)
	report := reportOf(standing)
	if s.cfg.Recognised != nil && standing.State == credential.Valid {
		of := verifier.Achievement{Issuer: standing.Claims.Issuer, ID: standing.Claims.AchievementID}
		if report.Recognitions, err = s.cfg.Recognised(c.Request().Context(), of); err != nil {
			return err
		}
	}
	v := w.verdict(report, s.about(c, standing.Credential), string(standing.Credential.ID))
	if k := standing.RevokedKey; k != nil && k.RevokedAt != nil && v["reason"] == "" {
		v["reason"] = w.t("page.verify.key_revoked", map[string]any{"Date": s.cfg.Words.Date(locale, *k.RevokedAt), "Reason": k.RevokedReason})
	}
	if standing.Credential.ErasedAt != nil && standing.State != credential.Invalid && v["reason"] == "" {
		v["reason"] = w.t("page.verify.erased", nil)
	}
	return s.checked(c, w, "/verify/"+string(standing.Credential.ID), v)
}

// checked serves the page that tells what a check found.
func (s *Site) checked(c echo.Context, w *writer, path string, v values) error {
	title := w.t("page.verify.title", nil)
	p, err := w.done(w.page(frame{
		kind: "verify", title: v["standing_label"] + " · " + title, description: title, path: path,
		hidden: true, // it holds a person's name
		main:   w.fill("verify", v),
	}))
	if err != nil {
		return err
	}
	p.cacheControl = noStore // what is true now may be revoked in a minute
	return s.compressor.serve(c, p)
}

// reportOf says of a credential of ours what a check of any other would say.
func reportOf(st credential.Standing) verifier.Report {
	c, row := st.Claims, st.Credential
	r := verifier.Report{State: verifier.State(st.State), CheckedAt: st.CheckedAt}
	reason := func(code verifier.Why, at time.Time, given string) {
		r.Reasons = append(r.Reasons, verifier.Reason{Code: code, Args: map[string]any{"Date": at, "Reason": given}})
	}
	switch {
	case st.State == credential.Invalid:
		return r
	case st.State == credential.Revoked && row.RevokedAt != nil:
		reason(verifier.RevokedBy, *row.RevokedAt, row.RevokedReason)
	case st.State == credential.Suspended && row.SuspendedAt != nil:
		reason(verifier.SuspendedBy, *row.SuspendedAt, row.SuspendedReason)
	case st.State == credential.Expired && c.ExpiresAt != nil:
		reason(verifier.ExpiredAt, *c.ExpiresAt, "")
	}
	r.Claims = verifier.Claims{
		ID: c.ID, Name: c.Name, Achievement: c.Achievement, Description: c.Description, Narrative: c.Narrative, Language: c.Locale,
		Issuer: c.Issuer, IssuerName: c.IssuerName, ValidFrom: c.IssuedAt, Version: c.Version,
	}
	for kind, value := range map[string]string{assessmentLevel: string(c.Assessment), aiAssistance: string(c.AIHelp), percent: c.Score} {
		if value != "" {
			r.Claims.Results = append(r.Claims.Results, verifier.Result{Type: kind, Value: value})
		}
	}
	slices.SortFunc(r.Claims.Results, func(a, b verifier.Result) int { return strings.Compare(b.Type, a.Type) })
	if c.ExpiresAt != nil {
		r.Claims.ValidUntil = *c.ExpiresAt
	}
	r.RestsOn = []verifier.Basis{
		{Kind: verifier.Signature, From: verifier.Self, At: c.IssuedAt},
		{Kind: verifier.Issuing, From: verifier.Here, Source: c.Issuer, At: st.CheckedAt},
		{Kind: verifier.Status, From: verifier.Here, At: st.CheckedAt},
		{Kind: verifier.Clock, From: verifier.Computer, At: st.CheckedAt},
	}
	return r
}

// verdict fills the page of a check. id names a credential of this server, "" one of elsewhere.
func (w *writer) verdict(r verifier.Report, course *curriculum.Manifest, id string) values {
	title, text := verifier.StateWords(r.State)
	v := values{
		"standing": string(r.State), "standing_label": w.t(title, nil), "standing_text": w.t(text, nil), "reason": "",
		"reasons": w.reasons(r.Reasons), "certificate": "", "paper": "", "recognised": w.recognised(r.Recognitions), "report": "", "links": "",
	}
	for _, reason := range r.Reasons {
		if given := reason.Given(); given != "" {
			v["reason"] = w.t("page.verify.reason", map[string]any{"Reason": given})
		}
	}
	if id != "" && r.State != verifier.Invalid || r.Readable() {
		v["certificate"] = w.certificate(r, course, id == "")
	}
	if id != "" && r.State != verifier.Invalid {
		// Paper is checked by its code: with the name that stands on it, while there is one.
		named := "1"
		if r.Claims.Name == "" {
			named = "0"
		}
		v["paper"] = w.fill("verify-paper", values{"code": "/api/credentials/" + id + "/code.svg?name=" + named, "address": r.Claims.ID})
	}
	rests := ""
	for _, b := range r.RestsOn {
		rests += w.basis(b, r.CheckedAt)
	}
	notes := ""
	if len(r.Notes) > 0 {
		notes = w.fill("report-notes", values{"notes": w.reasons(r.Notes)})
	}
	if r.State != verifier.Invalid {
		v["report"] = w.fill("report", values{"rests": rests, "notes": notes})
	}
	link := func(href, key string) {
		v["links"] += w.fill("verify-link", values{"href": href, "label": w.t(key, nil)}) + "\n"
	}
	if id != "" {
		if r.State != verifier.Invalid { // such a one is not printed
			link("/api/credentials/"+id+"/certificate.pdf?locale="+w.locale, "page.verify.pdf")
		}
		link("/api/credentials/"+id, "page.verify.json")
		link("/api/credentials/"+id+"/badge.png", "page.verify.badge")
	}
	link("/"+w.locale+"/verify", "page.check.again")
	return v
}

// certificate shows what a credential says; of one of elsewhere, whose words nobody here knows, all of it.
func (w *writer) certificate(r verifier.Report, course *curriculum.Manifest, whole bool) string {
	date := w.site.cfg.Words.Date
	facts := ""
	fact := func(key, value string) { facts += w.fact(key, value, "") }
	c := r.Claims
	told := w.quoted(c.Language)
	facts += w.fact("page.verify.institution", cmp.Or(c.IssuerName, c.Issuer), told)
	if !c.ValidFrom.IsZero() {
		fact("page.verify.issued", date(w.locale, c.ValidFrom))
	}
	if !c.ValidUntil.IsZero() {
		fact("page.verify.expires", date(w.locale, c.ValidUntil))
	}
	for _, reason := range r.Reasons {
		if at := reason.Date(); !at.IsZero() {
			switch reason.Code {
			case verifier.RevokedBy:
				fact("page.verify.revoked", date(w.locale, at))
			case verifier.SuspendedBy:
				fact("page.verify.suspended", date(w.locale, at))
			}
		}
	}
	if whole {
		facts += w.fact("page.verify.about", c.Description, told) + w.fact("page.verify.narrative", c.Narrative, told)
	} else {
		fact("paper.version", c.Version)
	}
	for _, result := range c.Results {
		facts += w.result(result, told)
	}
	fact("page.verify.checked", w.site.cfg.Words.Moment(w.locale, r.CheckedAt))
	v := values{
		"to": "", "name": c.Name, "achievement": cmp.Or(c.Achievement, nothing), "achievement_spoken": told,
		"course_title": "", "course_spoken": "", "facts": facts,
	}
	// One without a name belongs to nobody whom it could tell.
	if c.Name != "" {
		v["to"] = w.t("page.verify.to", nil)
	}
	if title, lang := course.Title.Said(w.locale, course.SourceLocale, course.TitleLang); title != c.Achievement {
		v["course_title"], v["course_spoken"] = title, w.spoken(cmp.Or(lang, w.locale))
	}
	return w.fill("certificate", v)
}

// What the results of a Banyan's credential are about.
const (
	assessmentLevel = "ext:AssessmentLevel"
	aiAssistance    = "ext:AIAssistance"
	percent         = "Percent"
)

// result is one line of what came out. What a Banyan says, the page says in its own words; what it has no words for stands as
// the issuer wrote it, and without a name it would say nothing.
func (w *writer) result(r verifier.Result, told string) string {
	switch a, h := credential.Assessment(r.Value), credential.AIHelp(r.Value); {
	case r.Type == assessmentLevel && a.Known():
		return w.fact("paper.assessment", w.t("paper.assessment."+r.Value, nil), "")
	case r.Type == aiAssistance && (h.Declared() || h == credential.Undeclared):
		return w.fact("paper.ai_help", w.t("paper.ai_help."+r.Value, nil), "")
	case r.Type == percent && r.Name == "":
		if score, err := strconv.ParseFloat(r.Value, 64); err == nil && score >= 0 && score <= 100 {
			return w.fact("paper.score", w.t("paper.score_value", map[string]any{"Score": score}), "")
		}
	case r.Name != "":
		return w.fill("verify-fact", values{"label": r.Name, "label_spoken": told, "value": r.Value, "spoken": told})
	}
	return ""
}

// fact is one line of what a credential says; spoken are the attributes of the value's language, "" for the page's. An empty value has no line.
func (w *writer) fact(key, value, spoken string) string {
	if value == "" {
		return ""
	}
	return w.fill("verify-fact", values{"label": w.t(key, nil), "label_spoken": "", "value": value, "spoken": spoken})
}

// quoted are the attributes of words out of a credential, which names their language or none that could be one.
// Words of no known language are marked as such: a voice for the page's language would misread them.
func (w *writer) quoted(tag string) string {
	if t, err := bcp47.Parse(tag); tag == "" || err != nil || t == bcp47.Und {
		return ` lang="" dir="auto"`
	}
	return w.spoken(tag)
}

func (w *writer) reasons(list []verifier.Reason) string {
	lines, said := "", map[string]bool{}
	for _, r := range list {
		key, args := r.Words(func(t time.Time) string { return w.site.cfg.Words.Date(w.locale, t) })
		if text := w.t(key, args); !said[text] { // of two lists that are as old, one line tells
			said[text] = true
			lines += w.fill("report-line", values{"text": text})
		}
	}
	if lines == "" {
		return ""
	}
	return w.fill("report-list", values{"lines": lines})
}

func (w *writer) basis(b verifier.Basis, now time.Time) string {
	v := values{"label": w.t("credential.rests."+string(b.Kind), nil), "origin": w.t("credential.origin."+string(b.From), nil), "source": b.Source, "when": ""}
	if b.By != "" {
		v["origin"] = w.t("credential.origin."+string(b.From), nil) + " (" + b.By + ")"
	}
	if !b.At.IsZero() {
		key, args := verifier.AgeWords(now.Sub(b.At))
		v["when"] = " · " + w.site.cfg.Words.Moment(w.locale, b.At) + " (" + w.t(key, args) + ")"
	}
	return w.fill("report-basis", v)
}

// toVerifyForm sends a reader to the form in their language.
func (s *Site) toVerifyForm(c echo.Context) error {
	return s.redirect(c, http.StatusFound, "/"+s.reader(c)+"/verify")
}

// verifyForm serves the form in which anybody has any credential checked, without a script.
func (s *Site) verifyForm(c echo.Context) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	w := s.writer(locale)
	p, err := w.done(w.page(frame{
		kind: "verify", title: w.t("page.check", nil), description: w.t("page.check.lead", nil), path: "/verify", canonical: "/verify", spoken: s.cfg.Words.Locales(),
		main: w.fill("verify-form", values{"locale": locale}),
	}))
	if err != nil {
		return err
	}
	return s.compressor.serve(c, p)
}

// maxForm is what a form may have beside the credential.
const maxForm = 16 << 10

// verifyPosted checks what came in the form. Nothing of it is kept.
func (s *Site) verifyPosted(c echo.Context) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	req := c.Request()
	if err := s.cfg.Admit(req); err != nil {
		return err
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, verifier.MaxInput+maxForm)
	in, err := posted(req)
	if err != nil {
		return err
	}
	o := verifier.Options{Offline: req.PostFormValue("offline") != ""}
	if s.cfg.Institutions != nil {
		o.Institutions = s.cfg.Institutions(req)
	}
	r, err := s.cfg.Verifier.Verify(req.Context(), in, o)
	if err != nil {
		return err
	}
	w := s.writer(locale)
	return s.checked(c, w, "/verify", w.verdict(r, &curriculum.Manifest{}, ""))
}

// posted gives the file of the form, else its text. All of it is read into memory: MaxBytesReader bounds it.
func posted(req *http.Request) ([]byte, error) {
	if err := req.ParseMultipartForm(verifier.MaxInput + maxForm); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, fault.New(fault.TooLarge, "request.too_large").With("KiB", verifier.MaxInput>>10)
		}
		return nil, fault.Wrap(fault.Invalid, "request.invalid", err)
	}
	in := []byte(req.PostFormValue("text"))
	if file, _, err := req.FormFile("file"); err == nil {
		defer func() { _ = file.Close() }()
		chosen, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		if len(chosen) > 0 {
			in = chosen
		}
	}
	if len(bytes.TrimSpace(in)) == 0 {
		return nil, fault.New(fault.Invalid, "credential.nothing_to_check")
	}
	if len(in) > verifier.MaxInput {
		return nil, fault.New(fault.TooLarge, "request.too_large").With("KiB", verifier.MaxInput>>10)
	}
	return in, nil
}

// nothing stands where a credential says nothing.
const nothing = "—"

// about is the course of a certificate, for orientation only: one that is gone costs no certificate its page.
func (s *Site) about(c echo.Context, cr credential.Credential) *curriculum.Manifest {
	v, err := s.latest.find(c.Request().Context(), cr.CourseID)
	if err != nil {
		return &curriculum.Manifest{}
	}
	return &v.Manifest
}
