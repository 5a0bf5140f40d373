package identity

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Lives of sessions: one that is not used for IdleLife ends; used ones are
// prolonged, but never beyond MaxLife.
const (
	IdleLife = 30 * 24 * time.Hour
	MaxLife  = 180 * 24 * time.Hour

	// A session's last use is written at most this often.
	touchEvery = 5 * time.Minute
)

// Sign-in throttle. A name is slowed after freeFailures wrong passwords: each
// further one doubles the wait, up to maxWait. An address is a whole school behind one router, so
// it may fail far more often.
const (
	freeFailures        = 5
	freeAddressFailures = 100
	throttleWindow      = 15 * time.Minute
	maxWait             = 5 * time.Minute
)

// Service is the door to people.
type Service struct {
	Store Store
	Now   func() time.Time
	NewID func() string
	Vault Vault         // needed by devices alone
	Lease time.Duration // of devices; DefaultLease when 0

	strangerOnce sync.Once
	stranger     string
}

var (
	usernameForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,31}$`)
	tokenNameSize = 80
)

// NewUser is an account to make.
type NewUser struct {
	Username    string
	DisplayName string
	Password    string
	Locale      string
	Operator    bool
	Memberships []Membership
	// Log gives what is written into audit logs with the account, nil for nothing.
	Log func(u User) []audit.Entry
}

// CreateUser makes an account. Who may is decided by the caller: the door of
// sign-up, an institution's admin, the operator's subcommand.
func (s *Service) CreateUser(ctx context.Context, n NewUser) (User, error) {
	if err := n.check(); err != nil {
		return User{}, err
	}
	hash, err := hashPassword(ctx, normPassword(n.Password))
	if err != nil {
		return User{}, fmt.Errorf("hash password: %w", err)
	}
	u := User{
		ID: UserID(s.NewID()), Username: n.Username, DisplayName: n.DisplayName,
		Locale: n.Locale, Operator: n.Operator, CreatedAt: s.Now(),
	}
	var log []audit.Entry
	if n.Log != nil {
		log = n.Log(u)
	}
	return u, s.Store.CreateUser(ctx, u, hash, n.Memberships, log...)
}

// check brings the name into its stored form and tells what is wrong with the account.
func (n *NewUser) check() error {
	n.DisplayName = strings.TrimSpace(norm.NFC.String(n.DisplayName))
	bad := fault.New(fault.Invalid, "request.invalid")
	if !usernameForm.MatchString(n.Username) {
		bad.At(fault.Detail{Pointer: "/username", Key: "user.bad_username"})
	}
	checkDisplayName(bad, n.DisplayName)
	checkPasswordForm(bad, "/password", n.Password, n.Username)
	checkLocale(bad, n.Locale)
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

// signupWindow and freeSignups bound how many accounts one address makes. A
// class of pupils signs up from one address within minutes.
const (
	signupWindow = time.Hour
	freeSignups  = 60
)

// SignUp makes an account for whoever asks from an address ("" when unknown).
// Every well-formed try counts, also one whose username is taken: so nobody can
// read the list of names. What is refused does not count, so that waiting helps.
func (s *Service) SignUp(ctx context.Context, address string, n NewUser) (User, error) {
	if err := n.check(); err != nil {
		return User{}, err
	}
	if address != "" {
		key, now := "signup:"+addressKey(address), s.Now()
		seen, err := s.Store.FindThrottle(ctx, key)
		if err != nil {
			return User{}, err
		}
		if wait := seen.LastAt.Add(signupWindow).Sub(now); seen.Failures >= freeSignups && wait > 0 {
			return User{}, throttled("user.signup_throttled", wait)
		}
		counted, err := s.Store.AddFailure(ctx, key, now, now.Add(-signupWindow))
		if err != nil {
			return User{}, err
		}
		if counted.Failures > freeSignups { // others came at the same time
			return User{}, throttled("user.signup_throttled", signupWindow)
		}
	}
	return s.CreateUser(ctx, n)
}

// Admit counts a try of something from an address, and refuses it with fault.TooMany server.throttled when there were more than most
// within a time. For our own services.
func (s *Service) Admit(ctx context.Context, what, from string, most int, within time.Duration) error {
	key, now := what+":"+addressKey(from), s.Now()
	seen, err := s.Store.FindThrottle(ctx, key)
	if err != nil {
		return err
	}
	if wait := seen.LastAt.Add(within).Sub(now); seen.Failures >= most && wait > 0 {
		return throttled("server.throttled", wait)
	}
	_, err = s.Store.AddFailure(ctx, key, now, now.Add(-within))
	return err
}

func throttled(key string, wait time.Duration) error {
	f := fault.New(fault.TooMany, key)
	f.RetryAfter = int(math.Ceil(wait.Seconds()))
	return f.With("Seconds", f.RetryAfter)
}

// addressKey is what an address is counted under. Whoever has one IPv6 address
// has its whole /64, and could come from another one with every try.
func addressKey(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return cut(address, 64)
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64) // 64 bits are in range
	return p.String()
}

// FindUser gives a person. For our own services: it checks nothing.
func (s *Service) FindUser(ctx context.Context, id UserID) (User, error) {
	return s.Store.FindUser(ctx, id)
}

// FindUserByName gives a person by username. For the operator.
func (s *Service) FindUserByName(ctx context.Context, by Actor, username string) (User, error) {
	if !by.Operates() {
		return User{}, fault.New(fault.NotFound, "user.not_found")
	}
	u, _, err := s.Store.FindUserByName(ctx, username)
	return u, err
}

// FindUsers gives people by id. For our own services: it checks nothing.
func (s *Service) FindUsers(ctx context.Context, ids []UserID) (map[UserID]User, error) {
	return s.Store.FindUsers(ctx, ids)
}

// ListMemberships gives a person's roles. For our own services: it checks nothing.
func (s *Service) ListMemberships(ctx context.Context, id UserID) ([]Membership, error) {
	return s.Store.ListMemberships(ctx, id)
}

// Change is what a person may change of their account; nil leaves it.
type Change struct {
	DisplayName *string
	Locale      *string
}

// Update changes the actor's own account.
func (s *Service) Update(ctx context.Context, by Actor, c Change) (User, error) {
	if by.UserID == "" {
		return User{}, fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(ScopeAdmin) {
		return User{}, fault.New(fault.Denied, "token.scope_missing")
	}
	u, err := s.Store.FindUser(ctx, by.UserID)
	if err != nil {
		return User{}, err
	}
	bad := fault.New(fault.Invalid, "request.invalid")
	if c.DisplayName != nil {
		u.DisplayName = strings.TrimSpace(norm.NFC.String(*c.DisplayName))
		checkDisplayName(bad, u.DisplayName)
	}
	if c.Locale != nil {
		u.Locale = *c.Locale
		checkLocale(bad, u.Locale)
	}
	if len(bad.Details) > 0 {
		return User{}, bad
	}
	return u, s.Store.UpdateUser(ctx, u.ID, u.DisplayName, u.Locale)
}

// ChangePassword sets a new password for the actor, who must know the current
// one, and ends every other session and the lease of every other device. Wrong guesses are throttled like sign-ins.
func (s *Service) ChangePassword(ctx context.Context, by Actor, current, next string) error {
	if by.UserID == "" {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(ScopeAdmin) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	bad := fault.New(fault.Invalid, "request.invalid")
	checkPasswordForm(bad, "/new", next, by.Username)
	if len(bad.Details) > 0 {
		return bad
	}
	if _, err := s.authenticate(ctx, by.Username, current, ""); err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			return fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/current", Key: "user.wrong_password"})
		}
		return err
	}
	hash, err := hashPassword(ctx, normPassword(next))
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.Store.SetPassword(ctx, by.UserID, hash, by.SessionID, s.Now())
}

// ResetPassword sets a password without the old one and ends every session and
// the lease of every device of that person. For the operator's subcommand.
func (s *Service) ResetPassword(ctx context.Context, by Actor, username, next string) error {
	if !by.Operates() {
		return fault.New(fault.Denied, "user.reset_denied")
	}
	bad := fault.New(fault.Invalid, "request.invalid")
	checkPasswordForm(bad, "/new", next, username)
	if len(bad.Details) > 0 {
		return bad
	}
	u, _, err := s.Store.FindUserByName(ctx, strings.ToLower(username))
	if err != nil {
		return err
	}
	hash, err := hashPassword(ctx, normPassword(next))
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.Store.SetPassword(ctx, u.ID, hash, "", s.Now())
}

// SignIn opens a session. address is the client's, "" when unknown. A wrong name
// and a wrong password get the same answer in the same time.
func (s *Service) SignIn(ctx context.Context, username, password, address, userAgent string) (Session, User, string, error) {
	u, err := s.authenticate(ctx, strings.ToLower(strings.TrimSpace(username)), password, address)
	if err != nil {
		return Session{}, User{}, "", err
	}
	sess, secret, err := s.OpenSession(ctx, u.ID, userAgent)
	return sess, u, secret, err
}

// OpenSession makes a session for a person who has just proved who they are.
func (s *Service) OpenSession(ctx context.Context, id UserID, userAgent string) (Session, string, error) {
	now := s.Now()
	secret := NewSecret()
	sess := Session{
		ID: SessionID(s.NewID()), UserID: id, UserAgent: cut(userAgent, 300),
		CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(IdleLife),
	}
	return sess, secret, s.Store.CreateSession(ctx, sess, HashSecret(secret))
}

func (s *Service) authenticate(ctx context.Context, username, password, address string) (User, error) {
	now := s.Now()
	counts := []count{{key: "user:" + cut(username, 64), free: freeFailures}}
	if address != "" {
		counts = append(counts, count{key: "addr:" + addressKey(address), free: freeAddressFailures})
	}
	for i := range counts {
		if err := counts[i].look(ctx, s.Store, now); err != nil {
			return User{}, err
		}
	}
	u, hash, err := s.Store.FindUserByName(ctx, username)
	known := err == nil
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
		s.strangerOnce.Do(func() { s.stranger = strangerHash() })
		hash = s.stranger
	case err != nil:
		return User{}, err
	}
	for i := range counts {
		if err := counts[i].add(ctx, s.Store, now); err != nil {
			return User{}, err
		}
	}
	ok, err := checkPassword(ctx, normPassword(password), hash)
	if err != nil {
		return User{}, fmt.Errorf("check password: %w", err)
	}
	if !ok || !known {
		return User{}, fault.New(fault.Unauthenticated, "session.wrong_credentials")
	}
	// The name is forgiven everything, the address only this one try: else a school that signs in
	// in the morning would slow itself, or one known password would reset the count of an attacker's address.
	if err := s.Store.ClearFailures(ctx, counts[0].key); err != nil {
		return User{}, err
	}
	for _, c := range counts[1:] {
		if err := s.Store.ForgiveFailure(ctx, c.key); err != nil {
			return User{}, err
		}
	}
	return u, nil
}

// count is what a sign-in is counted under.
type count struct {
	key  string
	free int
	seen int // failures in the window before this try
}

// look refuses a try that comes before its wait is over.
func (c *count) look(ctx context.Context, store Store, now time.Time) error {
	t, err := store.FindThrottle(ctx, c.key)
	if err != nil {
		return err
	}
	if wait := waitAfter(t, c.free, now); wait > 0 {
		return throttled("session.throttled", wait)
	}
	if now.Sub(t.LastAt) <= throttleWindow {
		c.seen = t.Failures
	}
	return nil
}

// add counts the try as a failure, before the answer is known: a crowd of
// parallel guesses, which all looked before the first of them was counted, counts
// in full, and those beyond the free ones are refused.
func (c *count) add(ctx context.Context, store Store, now time.Time) error {
	t, err := store.AddFailure(ctx, c.key, now, now.Add(-throttleWindow))
	if err != nil {
		return err
	}
	if t.Failures-1 > c.seen && t.Failures > c.free {
		return throttled("session.throttled", waitAfter(t, c.free, now))
	}
	return nil
}

// waitAfter says how long a sign-in must still wait.
func waitAfter(t Throttle, free int, now time.Time) time.Duration {
	if t.Failures < free || now.Sub(t.LastAt) > throttleWindow {
		return 0
	}
	wait := maxWait
	if n := t.Failures - free; n < 9 {
		wait = min(time.Second<<n, maxWait)
	}
	return t.LastAt.Add(wait).Sub(now)
}

// ActorBySession gives the actor of a session's secret, and prolongs the session. An
// unknown, ended or expired one is fault.Unauthenticated.
func (s *Service) ActorBySession(ctx context.Context, secret string) (Actor, User, error) {
	now := s.Now()
	sess, u, ms, err := s.Store.FindSession(ctx, HashSecret(secret), now)
	if fault.Is(err, fault.NotFound) {
		return Actor{}, User{}, fault.New(fault.Unauthenticated, "session.ended")
	}
	if err != nil {
		return Actor{}, User{}, err
	}
	if now.Sub(sess.LastSeenAt) > touchEvery {
		until := now.Add(IdleLife)
		if last := sess.CreatedAt.Add(MaxLife); until.After(last) {
			until = last
		}
		if sess.Device != "" {
			d, err := s.FindDevice(ctx, sess.Device)
			if err == nil {
				d, err = s.contact(ctx, d)
			}
			if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthenticated) {
				return Actor{}, User{}, fault.New(fault.Unauthenticated, "session.ended")
			}
			if err != nil {
				return Actor{}, User{}, err
			}
			until = earlier(until, d.LeaseUntil)
		}
		err := s.Store.TouchSession(ctx, sess.ID, now, until)
		if fault.Is(err, fault.NotFound) { // ended this very moment
			return Actor{}, User{}, fault.New(fault.Unauthenticated, "session.ended")
		}
		if err != nil {
			return Actor{}, User{}, err
		}
	}
	a := Actor{UserID: u.ID, Username: u.Username, Operator: u.Operator, Memberships: ms, SessionID: sess.ID, Device: sess.Device}
	if sess.Limited {
		a.Scopes = []Scope{ScopeLearn}
	}
	return a, u, nil
}

// ActorByToken gives the actor of a bearer token, a machine's or a device's, limited to its scopes.
func (s *Service) ActorByToken(ctx context.Context, secret string) (Actor, User, error) {
	if strings.HasPrefix(secret, deviceTokenMark) {
		return s.actorByDevice(ctx, secret)
	}
	now := s.Now()
	t, u, ms, err := s.Store.FindToken(ctx, HashSecret(secret), now)
	if fault.Is(err, fault.NotFound) {
		return Actor{}, User{}, fault.New(fault.Unauthenticated, "token.unknown")
	}
	if err != nil {
		return Actor{}, User{}, err
	}
	if now.Sub(t.LastUsedAt) > touchEvery {
		err := s.Store.TouchToken(ctx, t.ID, now)
		if fault.Is(err, fault.NotFound) { // ended this very moment
			return Actor{}, User{}, fault.New(fault.Unauthenticated, "token.unknown")
		}
		if err != nil {
			return Actor{}, User{}, err
		}
	}
	scopes := t.Scopes
	if scopes == nil {
		scopes = []Scope{}
	}
	return Actor{UserID: u.ID, Username: u.Username, Operator: u.Operator, Memberships: ms, Scopes: scopes}, u, nil
}

// ListSessions lists where the actor is signed in.
func (s *Service) ListSessions(ctx context.Context, by Actor) ([]Session, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.ListSessions(ctx, by.UserID, s.Now())
}

// EndSession ends one of the actor's own sessions; anybody else's is not found. The own one ends whatever it reaches.
func (s *Service) EndSession(ctx context.Context, by Actor, id SessionID) error {
	if by.UserID == "" {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(ScopeAdmin) && by.SessionID != id {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return s.Store.DeleteSession(ctx, by.UserID, id)
}

// NewToken is a bearer token to make.
type NewToken struct {
	Name   string
	Scopes []Scope
	Life   time.Duration
}

// CreateToken makes a bearer token for the actor and gives its secret, once. A
// token cannot make another: whoever steals one must not be able to keep it alive.
func (s *Service) CreateToken(ctx context.Context, by Actor, n NewToken) (Token, string, error) {
	if by.UserID == "" {
		return Token{}, "", fault.New(fault.Unauthenticated, "session.required")
	}
	if by.Scopes != nil {
		return Token{}, "", fault.New(fault.Denied, "token.by_token")
	}
	n.Name = strings.TrimSpace(n.Name)
	bad := fault.New(fault.Invalid, "request.invalid")
	if c := utf8.RuneCountInString(n.Name); c < 1 || c > tokenNameSize || !CleanText(n.Name) {
		bad.At(fault.Detail{Pointer: "/name", Key: "token.bad_name"})
	}
	if n.Life < time.Hour || n.Life > 366*24*time.Hour {
		bad.At(fault.Detail{Pointer: "/expires_in_days", Key: "token.bad_life"})
	}
	if len(bad.Details) > 0 {
		return Token{}, "", bad
	}
	now := s.Now()
	secret := "bnyn_" + NewSecret() // the prefix lets secret scanners find a leaked one
	t := Token{ID: TokenID(s.NewID()), UserID: by.UserID, Name: n.Name, Scopes: n.Scopes, CreatedAt: now, ExpiresAt: now.Add(n.Life)}
	return t, secret, s.Store.CreateToken(ctx, t, HashSecret(secret))
}

// ListTokens lists the actor's own tokens.
func (s *Service) ListTokens(ctx context.Context, by Actor) ([]Token, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.ListTokens(ctx, by.UserID, s.Now())
}

// EndToken ends one of the actor's own tokens; anybody else's is not found.
func (s *Service) EndToken(ctx context.Context, by Actor, id TokenID) error {
	if by.UserID == "" {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(ScopeAdmin) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return s.Store.DeleteToken(ctx, by.UserID, id)
}

// CleanText tells whether a one-line text for people is valid UTF-8 without control
// characters. Format characters pass: Persian and Hindi names need the joiners.
// The overrides and isolates of bidirectional text do not: with them a name could reorder the words around it.
// Neither does U+FFFD, which is what is left of text that was broken on its way.
func CleanText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029' || (r >= '\u202a' && r <= '\u202e') || (r >= '\u2066' && r <= '\u2069') {
			return false
		}
	}
	return true
}

func checkDisplayName(bad *fault.Error, name string) {
	visible := strings.ContainsFunc(name, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.S, unicode.P)
	})
	if n := utf8.RuneCountInString(name); !visible || n > 80 || !CleanText(name) {
		bad.At(fault.Detail{Pointer: "/display_name", Key: "user.bad_display_name"})
	}
}

func checkPasswordForm(bad *fault.Error, pointer, password, username string) {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password) || strings.ContainsRune(password, utf8.RuneError) || n < 8 || n > 200:
		bad.At(fault.Detail{Pointer: pointer, Key: "user.bad_password"})
	case strings.EqualFold(password, username):
		bad.At(fault.Detail{Pointer: pointer, Key: "user.password_is_name"})
	}
}

func checkLocale(bad *fault.Error, locale string) {
	if locale == "" {
		return
	}
	if _, err := language.Parse(locale); err != nil || len(locale) > 35 {
		bad.At(fault.Detail{Pointer: "/locale", Key: "user.bad_locale"})
	}
}

// normPassword makes the same password typed on two keyboards the same bytes (RFC 8265 asks for NFC).
func normPassword(p string) string { return norm.NFC.String(p) }

func cut(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s[:n], "\x00", ""), "")
}
