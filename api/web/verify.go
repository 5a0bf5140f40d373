package web

import (
	"cmp"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/curriculum"
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
	label := w.t("credential.standing."+string(standing.State), nil)
	title := w.t("page.verify.title", nil)
	p, err := w.done(w.page(frame{
		kind: "verify", title: label + " · " + title, description: title, path: "/verify/" + string(standing.Credential.ID),
		hidden: true, // it holds a person's name
		main:   w.fill("verify", w.standing(standing, label, s.about(c, standing.Credential))),
	}))
	if err != nil {
		return err
	}
	p.cacheControl = noStore // what is true now may be revoked in a minute
	return s.compressor.serve(c, p)
}

// nothing stands where an invalid document says something that nobody should believe.
const nothing = "—"

func (w *writer) standing(st credential.Standing, label string, course *curriculum.Manifest) values {
	date := w.site.cfg.Words.Date
	v := values{
		"standing": string(st.State), "standing_label": label, "standing_text": w.t("credential.standing."+string(st.State)+"_text", nil), "reason": "",
		"name": nothing, "achievement": nothing, "institution": nothing, "issued": nothing, "course_title": "",
		"achievement_spoken": "", "course_spoken": "", "expires": "", "revoked": "",
		"checked": w.site.cfg.Words.Moment(w.locale, st.CheckedAt), "json_href": "/api/credentials/" + string(st.Credential.ID),
	}
	if st.State != credential.Invalid {
		v["name"], v["achievement"], v["institution"] = st.Claims.Name, st.Claims.Achievement, st.Claims.IssuerName
		v["issued"] = date(w.locale, st.Claims.IssuedAt)
		v["achievement_spoken"] = w.spoken(cmp.Or(st.Claims.Locale, w.locale))
		if title, lang := course.Title.Said(w.locale, course.SourceLocale, course.TitleLang); title != st.Claims.Achievement {
			v["course_title"], v["course_spoken"] = title, w.spoken(cmp.Or(lang, w.locale))
		}
		if at := st.Claims.ExpiresAt; at != nil {
			v["expires"] = w.fill("verify-fact", values{"label": w.t("page.verify.expires", nil), "value": date(w.locale, *at)})
		}
	}
	if k := st.RevokedKey; k != nil && k.RevokedAt != nil {
		v["reason"] = w.t("page.verify.key_revoked", map[string]any{"Date": date(w.locale, *k.RevokedAt), "Reason": k.RevokedReason})
	}
	if at := st.Credential.RevokedAt; st.State == credential.Revoked && at != nil {
		v["revoked"] = w.fill("verify-fact", values{"label": w.t("page.verify.revoked", nil), "value": date(w.locale, *at)})
		if st.Credential.RevokedReason != "" {
			v["reason"] = w.t("page.verify.reason", map[string]any{"Reason": st.Credential.RevokedReason})
		}
	}
	if at := st.Credential.SuspendedAt; st.State == credential.Suspended && at != nil {
		v["revoked"] = w.fill("verify-fact", values{"label": w.t("page.verify.suspended", nil), "value": date(w.locale, *at)})
		v["reason"] = w.t("page.verify.reason", map[string]any{"Reason": st.Credential.SuspendedReason})
	}
	return v
}

// about is the course of a certificate, for orientation only: one that is gone costs no certificate its page.
func (s *Site) about(c echo.Context, cr credential.Credential) *curriculum.Manifest {
	v, err := s.latest.find(c.Request().Context(), cr.CourseID)
	if err != nil {
		return &curriculum.Manifest{}
	}
	return &v.Manifest
}
