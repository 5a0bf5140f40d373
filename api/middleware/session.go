package middleware

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// People is what a session needs of identity.
type People interface {
	ActorBySession(ctx context.Context, secret string) (identity.Actor, identity.User, error)
	ActorByToken(ctx context.Context, secret string) (identity.Actor, identity.User, error)
}

// CookieName is the session's cookie. With https its prefix makes browsers refuse it from sibling hosts.
func CookieName(secure bool) string {
	if secure {
		return "__Host-banyan_session"
	}
	return "banyan_session"
}

// Cookie carries a session's secret; an empty secret ends it.
func Cookie(secure bool, secret string) *http.Cookie {
	c := &http.Cookie{
		Name: CookieName(secure), Value: secret, Path: "/", HttpOnly: true, Secure: secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(identity.MaxLife.Seconds()),
	}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// LearnerHeader says whom a page acts for. Several learners may use one browser, which has one cookie: what one of
// them does must never count for another.
const LearnerHeader = "Banyan-Learner"

// Session finds out who is asking, by bearer token or cookie. A wrong token is a fault, and so is the session of
// another than the page acts for; an ended session is merely nobody, so that pages for everyone still open.
func Session(people People, secure bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			ctx := r.Context()
			var actor identity.Actor
			var user identity.User
			var err error
			if h := r.Header.Get("Authorization"); h != "" {
				scheme, secret, _ := strings.Cut(h, " ")
				if !strings.EqualFold(scheme, "Bearer") {
					return fault.New(fault.Unauthenticated, "token.unknown")
				}
				if actor, user, err = people.ActorByToken(ctx, strings.TrimSpace(secret)); err != nil {
					return err
				}
			} else if cookie, cerr := r.Cookie(CookieName(secure)); cerr == nil && cookie.Value != "" {
				actor, user, err = people.ActorBySession(ctx, cookie.Value)
				if err != nil && !fault.Is(err, fault.Unauthenticated) {
					return err
				}
			}
			if meant := r.Header.Get(LearnerHeader); meant != "" && actor.UserID != "" && !actor.Is(identity.UserID(meant)) {
				return fault.New(fault.Unauthenticated, "session.other_learner")
			}
			if actor.UserID != "" {
				ctx = context.WithValue(context.WithValue(ctx, actorKey, actor), userKey, user)
				c.SetRequest(r.WithContext(ctx))
			}
			return next(c)
		}
	}
}

// CrossOrigin refuses changes that another site's page asks a browser for
// (CSRF): it compares Sec-Fetch-Site and Origin with this host. Tools that send neither pass; they have no cookies to steal.
func CrossOrigin(publicURL string) (echo.MiddlewareFunc, error) {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(publicURL); err != nil {
		return nil, err
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := guard.Check(c.Request()); err != nil {
				return fault.Wrap(fault.Denied, "request.cross_origin", err)
			}
			return next(c)
		}
	}, nil
}

// Origin notes where a request comes from. X-Forwarded-For is believed only as
// far as each hop is one of ours.
func Origin(trusted []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			client := Client{Address: ClientAddress(r, trusted), UserAgent: r.UserAgent()}
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), clientKey, client)))
			return next(c)
		}
	}
}

// ClientAddress is where a request comes from: the last hop that is none of ours.
func ClientAddress(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(host)
		if err != nil || !within(a.Unmap(), trusted) {
			break
		}
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = hop.Unmap().String()
	}
	return host
}

func within(a netip.Addr, ps []netip.Prefix) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// HeaderLanguage is how a page says in which language it stands, so that what it shows of an answer speaks it too.
const HeaderLanguage = "Banyan-Language"

// Language chooses the language of words for people: the page's around them, else the account's, else the institution's or the
// host's, else what the browser asks for. match passes over what is empty or not spoken.
func Language(match func(prefs ...string) string, host string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			ctx := r.Context()
			u := User(ctx)
			locale := match(r.Header.Get(HeaderLanguage), u.Locale, u.InstitutionLocale, host, r.Header.Get("Accept-Language"))
			c.SetRequest(r.WithContext(context.WithValue(ctx, localeKey, locale)))
			return next(c)
		}
	}
}
