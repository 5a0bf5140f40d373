package web

import (
	"cmp"
	"context"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Recognitions is the register of what institutions recognise of each other.
type Recognitions interface {
	List(ctx context.Context, f recognition.Filter, after recognition.ID, limit int) ([]recognition.Shown, error)
	Find(ctx context.Context, id recognition.ID) (recognition.Shown, error)
	ListGivers(ctx context.Context) ([]identity.InstitutionID, error)
}

var _ Recognitions = (*recognition.Service)(nil)

// recognitionsShown is how many recognitions one page lists.
const recognitionsShown = 20

// recognitions serves a page of the register, of one institution or of all, for anyone and without a script.
func (s *Site) recognitions(c echo.Context) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	ctx, w := c.Request().Context(), s.writer(locale)
	by, after := c.QueryParam("by"), c.QueryParam("after")
	list, err := s.cfg.Recognitions.List(ctx, recognition.Filter{By: identity.InstitutionID(by)}, recognition.ID(after), recognitionsShown+1)
	if err != nil {
		return err
	}
	more := len(list) > recognitionsShown
	list = list[:min(len(list), recognitionsShown)]
	rows := ""
	for _, r := range list {
		text, lang := verifier.TextIn(r.Terms.As, locale)
		title := s.title(ctx, w, r)
		rows += w.fill("recognition-row", values{
			"href": "/" + locale + "/recognitions/" + string(r.ID), "title": title.text, "title_spoken": title.spoken, "as": text, "as_spoken": w.quoted(cmp.Or(lang, "und")),
			"by": title.by, "by_spoken": title.bySpoken, "standing": w.t("page.recognition.standing."+string(r.State), nil), "kind": string(r.State),
		})
	}
	givers, err := s.cfg.Recognitions.ListGivers(ctx)
	if err != nil {
		return err
	}
	options := ""
	for _, id := range givers {
		name, lang := verifier.TextIn(s.cfg.Names(ctx, id, ""), locale)
		selected := ""
		if string(id) == by {
			selected = " selected"
		}
		options += w.fill("recognition-option", values{"value": string(id), "name": cmp.Or(name, string(id)), "spoken": w.quoted(cmp.Or(lang, "und")), "selected": selected})
	}
	v := values{"locale": locale, "rows": rows, "options": options, "none": "", "pages": ""}
	if len(list) == 0 {
		v["none"] = w.t("page.recognitions.none", nil)
	}
	address := func(after string) string {
		q := url.Values{}
		if by != "" {
			q.Set("by", by)
		}
		if after != "" {
			q.Set("after", after)
		}
		if len(q) == 0 {
			return "/" + locale + "/recognitions"
		}
		return "/" + locale + "/recognitions?" + q.Encode()
	}
	if after != "" {
		v["pages"] += w.fill("verify-link", values{"href": address(""), "label": w.t("page.recognitions.first", nil)}) + "\n"
	}
	if more {
		v["pages"] += w.fill("verify-link", values{"href": address(string(list[len(list)-1].ID)), "label": w.t("page.recognitions.next", nil)})
	}
	f := frame{
		kind: "verify", title: w.t("page.recognitions", nil), description: w.t("page.recognitions.lead", nil), path: "/recognitions",
		main: w.fill("recognitions", v),
	}
	if by == "" && after == "" {
		f.canonical, f.spoken = "/recognitions", s.cfg.Words.Locales()
	}
	return s.serveNow(c, w, f)
}

// recognition serves the page of one recognition: what was signed, and whether it holds.
func (s *Site) recognition(c echo.Context) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	ctx, w := c.Request().Context(), s.writer(locale)
	r, err := s.cfg.Recognitions.Find(ctx, recognition.ID(c.Param("id")))
	if err != nil {
		return err
	}
	facts, title := "", s.title(ctx, w, r)
	of, lang := verifier.TextIn(s.cfg.Names(ctx, "", r.OfDID), locale)
	links := w.fill("verify-link", values{"href": "/" + locale + "/recognitions", "label": w.t("page.recognitions", nil)})
	if r.State != recognition.Invalid { // of a forged one nobody should believe a word
		facts = w.fact("page.recognition.by", title.by, title.bySpoken) + w.fact("page.recognition.of", r.Terms.OfName, ` lang="" dir="auto"`) +
			w.fact("page.verify.institution", cmp.Or(of, r.OfDID), w.quoted(cmp.Or(lang, "und"))) + w.terms(r.Terms)
		date := func(key string, at string) { facts += w.fact(key, at, "") }
		date("page.recognition.signed", s.cfg.Words.Date(locale, r.CreatedAt))
		if r.ValidUntil != nil {
			date("page.verify.expires", s.cfg.Words.Date(locale, *r.ValidUntil))
		}
		if r.EndedAt != nil {
			date("page.recognition.ended", s.cfg.Words.Date(locale, *r.EndedAt))
		}
		links += "\n" + w.fill("verify-link", values{"href": "/api/recognitions/" + string(r.ID), "label": w.t("page.recognition.json", nil)})
	}
	standing := map[recognition.State]string{recognition.Valid: "valid", recognition.Expired: "expired", recognition.Ended: "expired"}[r.State]
	label := w.t("page.recognition.standing."+string(r.State), nil)
	return s.serveNow(c, w, frame{
		kind: "verify", title: label + " · " + w.t("page.recognition.title", nil), description: w.t("page.recognitions.lead", nil), path: "/recognitions/" + string(r.ID),
		main: w.fill("recognition", values{
			"standing": standing, "standing_label": label, "standing_text": w.t("page.recognition.standing."+string(r.State)+"_text", nil), "facts": facts, "links": links,
		}),
	})
}

// serveNow serves a page that may say something else in a minute.
func (s *Site) serveNow(c echo.Context, w *writer, f frame) error {
	p, err := w.done(w.page(f))
	if err != nil {
		return err
	}
	p.cacheControl = noStore
	return s.compressor.serve(c, p)
}

// titled is what a recognition is called: what is recognised, and by whom.
type titled struct{ text, spoken, by, bySpoken string }

func (s *Site) title(ctx context.Context, w *writer, r recognition.Shown) titled {
	if r.State == recognition.Invalid {
		return titled{text: string(r.ID)}
	}
	by, lang := verifier.TextIn(s.cfg.Names(ctx, r.InstitutionID, ""), w.locale)
	return titled{text: r.Terms.OfName, spoken: ` lang="" dir="auto"`, by: cmp.Or(by, r.By), bySpoken: w.quoted(cmp.Or(lang, "und"))}
}

func (w *writer) terms(t recognition.Terms) string {
	return w.said("page.recognition.as", t.As) + w.said("page.recognition.scope", t.Scope) + w.said("page.recognition.conditions", t.Conditions)
}

// said is a line with a text in the language that is nearest to the page's.
func (w *writer) said(key string, texts map[string]string) string {
	text, lang := verifier.TextIn(texts, w.locale)
	return w.fact(key, text, w.quoted(cmp.Or(lang, "und")))
}

// recognised tells what institutions take an achievement for; "" where none does.
func (w *writer) recognised(list []verifier.Recognition) string {
	if len(list) == 0 {
		return ""
	}
	out := ""
	for _, r := range list {
		by, lang := verifier.TextIn(r.Names, w.locale)
		facts := w.fact("page.recognition.by", cmp.Or(by, r.By), w.quoted(cmp.Or(lang, "und"))) + w.terms(recognition.Terms{As: r.As, Scope: r.Scope, Conditions: r.Conditions})
		if !r.Until.IsZero() {
			facts += w.fact("page.verify.expires", w.site.cfg.Words.Date(w.locale, r.Until), "")
		}
		if r.Origin != verifier.Here {
			facts += w.fact("page.recognition.known", w.site.cfg.Words.Date(w.locale, r.At), "")
		}
		out += w.fill("recognised-one", values{"facts": facts})
	}
	return w.fill("recognised", values{"locale": w.locale, "list": out})
}
