package rest_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/identity"
)

// jwk is the point that RFC 7517, appendix A.1, shows.
const jwk = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`

func deviceBody(id string) string {
	return `{"id":"` + id + `","name":"Phone","public_key":` + jwk + `}`
}

// device makes a phone known to somebody.
func (s *school) device(name string) identity.Registration {
	s.Helper()
	sess, _ := s.session(name)
	by := s.actor(name)
	by.SessionID = sess.ID
	r, err := s.app.Identity.RegisterDevice(s.Context(), by, identity.NewDevice{ID: identity.DeviceID(v7()), Name: "Phone", PublicKey: identity.PublicKey{
		X: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", Y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
	}})
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// TestDevicePermissions tries every operation with a device's token, and with a session that it opened: it reads what
// its learner reads, changes what the scope learn changes, and nothing else.
func TestDevicePermissions(t *testing.T) {
	s := newSchool(t)
	probe := probes(s)
	d := s.device("learner A")
	_, who, err := s.app.Identity.ActorByToken(s.Context(), d.Token)
	if err != nil || who.ID != s.people["learner A"].ID {
		t.Fatalf("the token is of %v, %v", who, err)
	}
	for _, way := range []string{"token", "session"} {
		for _, item := range s.doc.Paths.Map() {
			for method, op := range item.Operations() {
				c := probe[op.OperationID]()
				if way == "token" {
					c.bearer = d.Token
				} else {
					c.cookie = s.deviceSession(d.Token)
				}
				rec := s.do(c)
				scope, _ := op.Extensions["x-scope"].(string)
				list := permission(op)
				may := allowed(list, "learner A") && (scope == "" || scope == "learn")
				switch {
				case slices.Contains(list, "anyone"):
					may = true
				case slices.Contains(list, "device"):
					may = way == "token"
				case op.OperationID == "deleteCurrentSession":
					may = way == "session"
				}
				if may && rec.Code >= 400 || !may && rec.Code != http.StatusForbidden && rec.Code != http.StatusNotFound {
					t.Errorf("%s %s by %s of a device: %d %s", method, op.OperationID, way, rec.Code, rec.Body)
				}
			}
		}
	}
}

// deviceSession signs in with a device's token and gives the cookie.
func (s *school) deviceSession(token string) string {
	s.Helper()
	rec := s.do(call{method: http.MethodPost, path: "/api/sessions/from-device", bearer: token})
	if rec.Code != http.StatusCreated {
		s.Fatalf("%d %s", rec.Code, rec.Body)
	}
	cookies := rec.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Name != "banyan_session" || !cookies[0].HttpOnly {
		s.Fatalf("cookies %v", cookies)
	}
	return cookies[0].Value
}

// A phone's life, as its page sees it: known, used, lost, and found again.
func TestDeviceJourney(t *testing.T) {
	s := newSchool(t)
	type registered struct {
		ID          string            `json:"id"`
		Token       string            `json:"token"`
		Epoch       int               `json:"epoch"`
		RecoveryKey map[string]string `json:"recovery_key"`
	}
	_, cookie := s.session("learner A")
	id := v7()
	rec := s.do(call{method: http.MethodPost, path: "/api/devices", body: deviceBody(id), cookie: cookie})
	if rec.Code != http.StatusCreated {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	phone := decode[registered](t, rec)
	if phone.ID != id || !strings.HasPrefix(phone.Token, "bd_") || phone.Epoch != 1 || phone.RecoveryKey["crv"] != "P-256" {
		t.Fatalf("%+v", phone)
	}

	t.Run("another learner's id is no use", func(t *testing.T) {
		rec := s.do(s.as("other learner A", call{method: http.MethodPost, path: "/api/devices", body: deviceBody(id)}))
		if rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), `"device.exists"`) {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})

	t.Run("a private key is refused", func(t *testing.T) {
		body := strings.Replace(deviceBody(v7()), `"crv"`, `"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","crv"`, 1)
		if rec := s.do(s.as("learner A", call{method: http.MethodPost, path: "/api/devices", body: body})); rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})

	t.Run("a forgotten PIN", func(t *testing.T) {
		// As the device does: an envelope to the recovery key, of which it keeps the public half alone.
		half, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, err := identity.PublicKey{X: phone.RecoveryKey["x"], Y: phone.RecoveryKey["y"]}.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		want, err := half.ECDH(key)
		if err != nil {
			t.Fatal(err)
		}
		p := half.PublicKey().Bytes()
		b64 := base64.RawURLEncoding.EncodeToString
		body := func(password string) string {
			return `{"password":"` + password + `","key":{"kty":"EC","crv":"P-256","x":"` + b64(p[1:33]) + `","y":"` + b64(p[33:]) + `"}}`
		}
		open := func(name, password string) (int, string) {
			rec := s.do(s.as(name, call{method: http.MethodPost, path: "/api/devices/" + id + "/recovery", body: body(password)}))
			return rec.Code, rec.Body.String()
		}
		if code, got := open("learner A", "correct horse"); code != http.StatusOK || !strings.Contains(got, `"`+b64(want)+`"`) {
			t.Errorf("%d %s", code, got)
		}
		if code, got := open("learner A", "correct hose"); code != http.StatusUnprocessableEntity || !strings.Contains(got, "user.wrong_password") {
			t.Errorf("a wrong password: %d %s", code, got)
		}
		for _, other := range []string{"other learner A", "admin A", "operator"} {
			if code, got := open(other, "correct horse"); code != http.StatusNotFound {
				t.Errorf("%s: %d %s", other, code, got)
			}
		}
	})

	if rec := s.do(call{method: http.MethodGet, path: "/api/me", bearer: phone.Token}); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"limited":true`) {
		t.Errorf("me by token: %d %s", rec.Code, rec.Body)
	}
	opened := s.deviceSession(phone.Token)
	if rec := s.do(call{method: http.MethodGet, path: "/api/me", cookie: opened}); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"limited":true`) {
		t.Errorf("me by its session: %d %s", rec.Code, rec.Body)
	}
	if rec := s.do(call{method: http.MethodGet, path: "/api/me", cookie: cookie}); strings.Contains(rec.Body.String(), "limited") {
		t.Errorf("me by password: %s", rec.Body)
	}

	// The admin revokes the lost phone: its token and all its sessions are at their end.
	admin := func(method, path string) int { return s.do(s.as("admin A", call{method: method, path: path})).Code }
	if rec := s.do(s.as("admin A", call{method: http.MethodGet, path: "/api/institutions/" + string(s.a.ID) + "/members/" + string(s.people["learner A"].ID) + "/devices"})); !strings.Contains(rec.Body.String(), id) {
		t.Errorf("the admin sees %s", rec.Body)
	}
	if code := admin(http.MethodGet, "/api/institutions/"+string(s.a.ID)+"/members/"+string(s.people["learner B"].ID)+"/devices"); code != http.StatusNotFound {
		t.Errorf("devices of somebody of another institution: %d", code)
	}
	if code := admin(http.MethodDelete, "/api/devices/"+id); code != http.StatusNoContent {
		t.Fatalf("revoke: %d", code)
	}
	rec = s.do(call{method: http.MethodGet, path: "/api/me", bearer: phone.Token})
	if rec.Code != http.StatusUnauthorized || !strings.Contains(rec.Body.String(), `"device.revoked"`) {
		t.Errorf("a revoked token: %d %s", rec.Code, rec.Body)
	}
	for _, c := range []string{opened, cookie} {
		if rec := s.do(call{method: http.MethodGet, path: "/api/me", cookie: c}); rec.Code != http.StatusUnauthorized {
			t.Errorf("a session of a revoked device: %d", rec.Code)
		}
	}

	// Found again: the password makes it known anew, as the same device.
	rec = s.do(s.as("learner A", call{method: http.MethodPost, path: "/api/devices", body: deviceBody(id)}))
	again := decode[registered](t, rec)
	if rec.Code != http.StatusCreated || again.Token == phone.Token || again.RecoveryKey["x"] != phone.RecoveryKey["x"] {
		t.Errorf("%d %+v", rec.Code, again)
	}
	if rec := s.do(call{method: http.MethodGet, path: "/api/me", bearer: phone.Token}); rec.Code != http.StatusUnauthorized {
		t.Errorf("the old token: %d", rec.Code)
	}
	s.deviceSession(again.Token)
}

// Two learners of one browser have one cookie: a page that acts for one of them must not act for the other.
func TestCookieOfAnotherLearner(t *testing.T) {
	s := newSchool(t)
	as := func(name, meant string) *call {
		c := s.as(name, call{method: http.MethodGet, path: "/api/me"})
		c.header = map[string]string{"Banyan-Learner": string(s.people[meant].ID)}
		return &c
	}
	if rec := s.do(*as("learner A", "learner A")); rec.Code != http.StatusOK {
		t.Errorf("her own: %d", rec.Code)
	}
	rec := s.do(*as("other learner A", "learner A"))
	if rec.Code != http.StatusUnauthorized || !strings.Contains(rec.Body.String(), `"session.other_learner"`) {
		t.Errorf("another's: %d %s", rec.Code, rec.Body)
	}
	e := s.enroll("learner A")
	c := as("other learner A", "learner A")
	c.method, c.path, c.body = http.MethodPost, "/api/statements", `[`+statement(v7(), string(e.ID))+`]`
	if rec := s.do(*c); rec.Code != http.StatusUnauthorized {
		t.Errorf("statements under another's cookie: %d", rec.Code)
	}
	c = as("", "learner A")
	if rec := s.do(*c); rec.Code != http.StatusUnauthorized || strings.Contains(rec.Body.String(), "other_learner") {
		t.Errorf("nobody's: %d %s", rec.Code, rec.Body)
	}
}
