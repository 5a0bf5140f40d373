package web

import (
	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
)

// shared shows what a learner's link shows, to whoever has it, without a script. The address is a secret: it stands in no log, goes to no
// other site, and no search engine keeps it.
func (s *Site) shared(c echo.Context) error {
	locale := c.Param("locale")
	h := c.Response().Header()
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Referrer-Policy", "no-referrer")
	h["Cache-Control"] = noStore
	switch {
	case locale == "":
		locale = s.reader(c)
		h.Add("Vary", "Accept-Language, Cookie")
	case s.languages[locale] == nil:
		return errNoPage
	}
	shown, err := s.cfg.Shares.OpenShare(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	w := s.writer(locale)
	label := w.t("credential.standing."+shown.State, nil)
	title := w.t("page.shared.title", nil)
	p, err := w.done(w.page(frame{
		kind: "shared", title: label + " · " + title, description: title, path: "/s/" + c.Param("token"),
		hidden: true, // it is for those who have the link
		main:   w.fill("shared", w.shown(shown, label)),
	}))
	if err != nil {
		return err
	}
	p.cacheControl = noStore // its holder may end it in a minute
	return s.compressor.serve(c, p)
}

func (w *writer) shown(v wallet.Shown, label string) values {
	date, moment := w.site.cfg.Words.Date, w.site.cfg.Words.Moment
	out := values{
		"standing": v.State, "standing_label": label, "standing_text": w.t("credential.standing."+v.State+"_text", nil), "reason": "",
		"to": "", "name": "", "achievement": nothing, "achievement_spoken": "", "facts": "",
		"about": w.t("page.shared.about", nil),
	}
	checked := "page.verify.checked"
	if v.Elsewhere {
		checked = "page.shared.checked"
		out["standing_text"] = w.t("page.shared.elsewhere_text", nil)
	}
	facts := ""
	fact := func(key, value string) { facts += w.fact(key, value, "") }
	if v.State != string(credential.Invalid) {
		if out["to"] = w.t("page.shared.unnamed", nil); v.Name != "" {
			out["to"], out["name"] = w.t("page.verify.to", nil), v.Name
		}
		out["achievement"], out["achievement_spoken"] = v.Achievement, w.quoted(v.Locale)
		facts += w.fact("page.verify.institution", v.Issuer, w.quoted(v.Locale))
		fact("page.verify.issued", date(w.locale, v.IssuedAt))
		if v.ExpiresAt != nil {
			fact("page.verify.expires", date(w.locale, *v.ExpiresAt))
		}
		if v.RevokedAt != nil {
			fact("page.verify.revoked", date(w.locale, *v.RevokedAt))
		}
		if v.RevokedReason != "" {
			out["reason"] = w.t("page.verify.reason", map[string]any{"Reason": v.RevokedReason})
		}
	}
	fact(checked, moment(w.locale, v.CheckedAt))
	if v.EndsAt != nil {
		fact("page.shared.ends", moment(w.locale, *v.EndsAt))
	}
	out["facts"] = facts
	return out
}
