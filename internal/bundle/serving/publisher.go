package serving

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

const (
	keyLife  = 5 * 365 * 24 * time.Hour // a key is announced for so long
	keyRest  = 365 * 24 * time.Hour     // with so little left, the next key takes over
	trustAge = 6 * time.Hour            // a publisher's word on issuers is signed anew after it
	tries    = 8                        // when another process was faster
)

// publisher is an institution that can sign.
type publisher struct {
	kept
	key signing.Key
	row Key
}

// signs gives an institution's chain and its key in use. Both are made when they are first needed, and a key that nears its
// end is followed by the next.
func (s *Service) signs(ctx context.Context, in identity.InstitutionID) (publisher, error) {
	name, err := s.Publisher(ctx, in)
	if err != nil {
		return publisher{}, err
	}
	var last error
	for range tries {
		p, err := s.signer(ctx, in, name.ID)
		if err == nil && p.row.ID != "" && p.row.Until.Sub(s.Now()) > keyRest {
			return p, nil
		}
		if err == nil {
			_, err = s.handOver(ctx, in, name, p, false)
		}
		// Whoever was first made the key that counts: read it.
		if last = err; err != nil && !fault.Is(err, fault.Conflict) {
			return publisher{}, err
		}
	}
	return publisher{}, fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("institution %s gets no key to sign bundles: %w", in, last))
}

// signer reads what an institution signs with. Its row is empty when it has nothing yet. It is a conflict when keys changed meanwhile.
func (s *Service) signer(ctx context.Context, in identity.InstitutionID, id string) (p publisher, err error) {
	// Keys before documents: both are written at once, so that of a key which is seen the serial is seen as well.
	keys, err := s.Store.ListKeys(ctx, in)
	if err != nil {
		return publisher{}, err
	}
	if p.kept, err = s.ours(ctx, id, keys); err != nil {
		return publisher{}, err
	}
	for _, k := range keys {
		if k.Publisher != id || k.RetiredAt != nil {
			continue
		}
		if p.key, err = s.Sealer.Open(ctx, owner(k), k.Sealed); err != nil {
			return publisher{}, fmt.Errorf("open publisher key %s: %w", k.ID, err)
		}
		if listed, _ := p.chain.Newest().May(k.Multikey, s.Now()); !listed || p.key.Multikey() != k.Multikey {
			return publisher{}, fault.Wrap(fault.Conflict, "bundle.key_exists", fmt.Errorf("publisher key %s of %s does not stand in its documents", k.ID, id))
		}
		p.row = k
	}
	if serial := p.chain.Newest().Serial; p.row.ID == "" && serial > 0 {
		return publisher{}, fault.Wrap(fault.Conflict, "bundle.key_exists", fmt.Errorf("the key of %s is gone; its serial %d cannot be followed", id, serial))
	}
	return p, nil
}

func owner(k Key) signing.Owner { return KeyOwner(k.InstitutionID, k.ID) }

// KeyOwner binds a sealed key to its row, and to its use: an issuer's key opens under another name.
func KeyOwner(in identity.InstitutionID, id string) signing.Owner {
	return signing.Owner{InstitutionID: string(in), KeyID: "publisher/" + id}
}

// kept is a chain as it is stored.
type kept struct {
	Bearer
	chain bundle.Chain
}

// bearers reads the chains of all who bear a name here.
func (s *Service) bearers(ctx context.Context, id string) ([]kept, error) {
	if id == "" {
		return nil, nil
	}
	docs, err := s.Store.ListDocuments(ctx, id, PublisherDocument)
	if err != nil {
		return nil, err
	}
	var out []kept
	for _, d := range docs {
		if len(out) == 0 || out[len(out)-1].Bearer != d.Bearer {
			out = append(out, kept{Bearer: d.Bearer})
		}
		if err := out[len(out)-1].chain.Add(d.Text); err != nil {
			return nil, fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("stored documents of %s: %w", id, err))
		}
	}
	return out, nil
}

// bearer finds who brings a chain among those who bear its name here; the chain is empty when nobody knows them yet.
func (s *Service) bearer(ctx context.Context, c bundle.Chain) (kept, error) {
	all, err := s.bearers(ctx, c.ID())
	if err != nil || len(c.Documents) == 0 {
		return kept{}, err
	}
	for _, k := range all {
		if bytes.Equal(k.chain.Documents[0].Text, c.Documents[0].Text) {
			return k, nil
		}
	}
	return kept{Bearer: Bearer{c.ID(), string(c.Documents[0].Digest())}}, nil
}

// chain reads the chain of a bearer, none when it is unknown.
func (s *Service) chain(ctx context.Context, b Bearer) (bundle.Chain, error) {
	all, err := s.bearers(ctx, b.Publisher)
	if err != nil {
		return bundle.Chain{}, err
	}
	for _, k := range all {
		if k.Bearer == b {
			return k.chain, nil
		}
	}
	return bundle.Chain{}, nil
}

// ours finds the chain that an institution began for a name with keys of its own. Others may have written under the same name, even
// with its keys in their lists, but nobody else can have signed with them.
func (s *Service) ours(ctx context.Context, id string, keys []Key) (kept, error) {
	all, err := s.bearers(ctx, id)
	if err != nil {
		return kept{}, err
	}
	for _, k := range all {
		for _, key := range keys {
			if key.Publisher == id && k.chain.BegunBy(key.Multikey) {
				return k, nil
			}
		}
	}
	return kept{Bearer: Bearer{Publisher: id}}, nil
}

// handOver makes a new key and the serial that announces it. The old key is announced on unless it was lost to somebody.
func (s *Service) handOver(ctx context.Context, in identity.InstitutionID, name Name, p publisher, lost bool) (bundle.Publisher, error) {
	next, err := signing.Generate(s.Random)
	if err != nil {
		return bundle.Publisher{}, err
	}
	before := p.chain.Newest()
	now := bundle.At(bundle.Later(s.Now(), before.SignedAt.Time))
	row := Key{
		ID: s.NewID(), InstitutionID: in, Publisher: name.ID, Multikey: next.Multikey(), CreatedAt: now.Time, Until: now.Add(keyLife),
	}
	doc := bundle.Publisher{Type: "publisher", Format: bundle.Format, ID: name.ID, Name: name.Names, Serial: before.Serial + 1, SignedAt: now}
	signers := []signing.Key{next}
	if before.Serial > 0 {
		doc.Previous = p.chain.Documents[before.Serial-1].Digest()
		signers = append(signers, p.key)
		for _, k := range before.Keys {
			if k.Until.After(now.Time) && (!lost || k.Key != p.row.Multikey) {
				doc.Keys = append(doc.Keys, k)
			}
		}
	}
	doc.Keys = append(doc.Keys, bundle.PublisherKey{Key: row.Multikey, From: now, Until: bundle.At(row.Until)})
	text, err := bundle.Sign("publisher", doc, signers...)
	if err != nil {
		return bundle.Publisher{}, err
	}
	if err := p.chain.Add(text.Text); err != nil {
		return bundle.Publisher{}, fmt.Errorf("what %s signed is not right: %w", name.ID, err)
	}
	if before.Serial == 0 {
		p.Chain = string(text.Digest())
	}
	if row.Sealed, err = s.Sealer.Seal(ctx, owner(row), next); err != nil {
		return bundle.Publisher{}, fmt.Errorf("seal key of %s: %w", name.ID, err)
	}
	return doc, s.Store.InTx(ctx, func(tx Store) error {
		if p.row.ID != "" {
			if err := tx.RetireKey(ctx, p.row.ID, now.Time); err != nil {
				return err
			}
		}
		if err := tx.CreateKey(ctx, row); err != nil {
			return err
		}
		added, err := tx.AddDocument(ctx, Document{Bearer: p.Bearer, Kind: PublisherDocument, Serial: doc.Serial, Text: text.Text, SignedAt: now.Time})
		if err == nil && !added {
			err = fault.New(fault.Conflict, "bundle.key_exists")
		}
		return err
	})
}

// Rotate gives an institution a new key to sign bundles. With lost the old one is left out of the new serial, and what it signed is
// taken by nobody any more. Bundles are signed anew when they are next asked for. For admins of the institution and the operator.
func (s *Service) Rotate(ctx context.Context, by identity.Actor, in identity.InstitutionID, lost bool) (bundle.Publisher, error) {
	if err := mayTrust(by, in); err != nil {
		return bundle.Publisher{}, err
	}
	p, err := s.signs(ctx, in)
	if err != nil {
		return bundle.Publisher{}, err
	}
	name, err := s.Publisher(ctx, in)
	if err != nil {
		return bundle.Publisher{}, err
	}
	return s.handOver(ctx, in, name, p, lost)
}

// fresh tells whether a signed document was signed with the key in use.
func (p publisher) fresh(text []byte) bool {
	s, err := bundle.ReadSigned(text)
	return err == nil && len(s.Signatures) == 1 && s.Signatures[0].Key == p.row.Multikey
}

// own gives the signed root of a version that is published here. Manifests and root are made when they are first asked for and stay
// as they are: a later program may write them differently, and one number has one tree. Only a new key signs the root anew.
func (s *Service) own(ctx context.Context, v curriculum.Version) (bundle.Signed, error) {
	p, err := s.signs(ctx, identity.InstitutionID(v.InstitutionID))
	if err != nil {
		return bundle.Signed{}, err
	}
	find := func() (Document, error) {
		return s.Store.FindDocument(ctx, p.Bearer, RootDocument, string(v.CourseID), v.Number)
	}
	d, err := find()
	if err == nil && p.fresh(d.Text) {
		return bundle.ReadSigned(d.Text)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return bundle.Signed{}, err
	}
	s.making.Lock() // many who ask at once cause one signature
	defer s.making.Unlock()
	if d, err = find(); err == nil && p.fresh(d.Text) {
		return bundle.ReadSigned(d.Text)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return bundle.Signed{}, err
	}
	var root bundle.Root
	if err == nil {
		old, err := bundle.ReadSigned(d.Text)
		if err != nil {
			return bundle.Signed{}, err
		}
		if root, err = bundle.ParseRoot(old.Document); err != nil {
			return bundle.Signed{}, err
		}
		// One second more at least: readers refuse another signature of the same time.
		root.SignedAt = bundle.At(bundle.Later(bundle.Later(s.Now(), p.row.CreatedAt), root.SignedAt.Add(time.Second)))
	} else {
		b, err := packing.Build(ctx, v, s.Keep.Public.Open)
		if err != nil {
			return bundle.Signed{}, err
		}
		for _, m := range b.Manifests {
			if _, err := s.Keep.Public.Put(ctx, m); err != nil {
				return bundle.Signed{}, err
			}
		}
		root = b.Root
		root.Publisher, root.SignedAt = p.row.Publisher, bundle.At(bundle.Later(s.Now(), p.row.CreatedAt))
		if s.Runtimes != nil {
			root.Runtimes = s.Runtimes()
		}
	}
	text, err := bundle.Sign("root", root, p.key)
	if err != nil {
		return bundle.Signed{}, err
	}
	if _, err := s.Store.ReplaceDocument(ctx, Document{
		Bearer: p.Bearer, Kind: RootDocument, Name: root.Course, Serial: root.Number, Text: text.Text, SignedAt: root.SignedAt.Time,
	}); err != nil {
		return bundle.Signed{}, err
	}
	if d, err = find(); err != nil { // another process may have been faster
		return bundle.Signed{}, err
	}
	return bundle.ReadSigned(d.Text)
}

// trust gives an institution's word on issuers; nil when it vouches for none.
func (s *Service) trust(ctx context.Context, in identity.InstitutionID) ([]byte, error) {
	if s.Issuers == nil {
		return nil, nil
	}
	p, err := s.signs(ctx, in)
	if err != nil {
		return nil, err
	}
	sources, err := s.Issuers(ctx, in)
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	var recognised []RecognitionSource
	if s.Recognitions != nil {
		if recognised, err = s.Recognitions(ctx, in); err != nil {
			return nil, err
		}
	}
	s.making.Lock()
	defer s.making.Unlock()
	d, err := s.Store.FindDocument(ctx, p.Bearer, TrustDocument, "", 0)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if err == nil && p.fresh(d.Text) && s.Now().Sub(d.SignedAt) < trustAge && said(d.Text, sources, recognised) {
		same, err := s.sameLists(ctx, d.Text, sources)
		if err != nil || same {
			return d.Text, err
		}
	}
	doc := bundle.Trust{Type: "trust", Format: bundle.Format, Publisher: p.row.Publisher, SignedAt: bundle.At(bundle.Later(bundle.Later(s.Now(), p.row.CreatedAt), d.SignedAt.Add(time.Second))), Issuers: []bundle.Issuer{}}
	for _, src := range sources {
		i := src.Issuer
		i.Keys, i.Lists = slices.Clone(i.Keys), slices.Clone(i.Lists)
		if i.Keys == nil {
			i.Keys = []bundle.IssuerKey{}
		}
		if i.Lists == nil {
			i.Lists = []bundle.StatusList{}
		}
		for j := range i.Lists {
			list, err := src.Open(ctx, i.Lists[j].URL)
			if err != nil {
				return nil, fmt.Errorf("open status list %s: %w", i.Lists[j].URL, err)
			}
			if i.Lists[j].Digest, err = s.Keep.Public.Put(ctx, list.Document); err != nil {
				return nil, err
			}
			signed := bundle.At(list.SignedAt)
			i.Lists[j].Size, i.Lists[j].SignedAt = int64(len(list.Document)), &signed
		}
		doc.Issuers = append(doc.Issuers, i)
	}
	fitting, err := fit(doc, recognised)
	if err != nil {
		return nil, err
	}
	for _, r := range fitting {
		if _, err := s.Keep.Public.Put(ctx, r.Document); err != nil {
			return nil, err
		}
		doc.Recognitions = append(doc.Recognitions, r.Recognition)
	}
	text, err := bundle.Sign("trust", doc, p.key)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.ReplaceDocument(ctx, Document{Bearer: p.Bearer, Kind: TrustDocument, Text: text.Text, SignedAt: doc.SignedAt.Time}); err != nil {
		return nil, err
	}
	d, err = s.Store.FindDocument(ctx, p.Bearer, TrustDocument, "", 0)
	return d.Text, err
}

// sameLists tells whether the lists that a stored word names say what they say now. A revocation must not wait for the word to grow old.
func (s *Service) sameLists(ctx context.Context, text []byte, sources []IssuerSource) (bool, error) {
	t, err := bundle.ReadTrust(text)
	if err != nil {
		return false, err
	}
	for i, src := range sources {
		for _, l := range t.Issuers[i].Lists {
			now, err := src.Open(ctx, l.URL)
			if err != nil {
				return false, fmt.Errorf("open status list %s: %w", l.URL, err)
			}
			if blob.Of(now.Document) == l.Digest {
				continue
			}
			then, err := s.Keep.Public.Open(ctx, l.Digest)
			if fault.Is(err, fault.NotFound) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			if src.Same == nil || !src.Same(then, now.Document) {
				return false, nil
			}
		}
	}
	return true, nil
}

// wordRoom is how large a word grows by recognitions. A larger one than MaxSigned nobody would read, and there are signatures too.
const wordRoom = bundle.MaxSigned - 4<<10

// fit gives those recognitions for which a word has room, with size and digest.
func fit(t bundle.Trust, sources []RecognitionSource) ([]RecognitionSource, error) {
	t.Recognitions = nil
	whole, err := bundle.Line(t)
	if err != nil {
		return nil, err
	}
	var out []RecognitionSource
	size := len(whole)
	for _, src := range sources {
		r := src.Recognition
		r.Digest, r.Size = blob.Of(src.Document), int64(len(src.Document))
		one, err := bundle.Line(r)
		if err != nil {
			return nil, err
		}
		if size+len(one)+1 <= wordRoom {
			size += len(one) + 1
			out = append(out, RecognitionSource{r, src.Document})
		}
	}
	return out, nil
}

// said tells whether a stored word says the same of issuers, but for what stands in their lists, and the same recognitions.
func said(text []byte, sources []IssuerSource, recognised []RecognitionSource) bool {
	t, err := bundle.ReadTrust(text)
	if err != nil || len(t.Issuers) != len(sources) {
		return false
	}
	fitting, err := fit(t, recognised)
	if err != nil || len(fitting) != len(t.Recognitions) {
		return false
	}
	for i, r := range fitting {
		was, errA := bundle.Line(t.Recognitions[i])
		is, errB := bundle.Line(r.Recognition)
		if errA != nil || errB != nil || !bytes.Equal(was, is) {
			return false
		}
	}
	for i, src := range sources {
		a, b := t.Issuers[i], src.Issuer
		if b.Keys == nil {
			b.Keys = []bundle.IssuerKey{}
		}
		places := func(list []bundle.StatusList) (out []bundle.StatusList) {
			for _, l := range list {
				out = append(out, bundle.StatusList{URL: l.URL, Purpose: l.Purpose})
			}
			return out
		}
		a.Lists, b.Lists = places(a.Lists), places(b.Lists)
		was, errA := bundle.Line(a)
		is, errB := bundle.Line(b)
		if errA != nil || errB != nil || !bytes.Equal(was, is) {
			return false
		}
	}
	return true
}

// TrustedWords gives what the publishers say of issuers whom the operator (nothing named) or any of the institutions trusts, each checked when
// it came. It is for our own services.
func (s *Service) TrustedWords(ctx context.Context, in ...identity.InstitutionID) ([]bundle.Trust, error) {
	words, err := s.wordsOfTrusted(ctx, in...)
	if err != nil {
		return nil, err
	}
	var out []bundle.Trust
	for _, w := range words {
		t, err := bundle.ReadTrust(w.text)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// Stated is a publisher with the documents that prove its keys.
type Stated struct {
	ID            string
	Name          map[string]string
	Documents     []string               // serial 1 first
	InstitutionID identity.InstitutionID // who trusts it; "" is the operator, or this server's own institutions
	Own           bool                   // signs here
}

func (s *Service) state(ctx context.Context, b Bearer) (Stated, error) {
	c, err := s.chain(ctx, b)
	if err != nil {
		return Stated{}, err
	}
	out := Stated{ID: b.Publisher, Name: c.Newest().Name}
	for _, d := range c.Documents {
		out.Documents = append(out.Documents, string(d.Text))
	}
	return out, nil
}

// Publishers lists whom a reader may trust: the institutions that publish here, whom the operator trusts, and whom an institution of the reader
// trusts. Anyone may ask.
func (s *Service) Publishers(ctx context.Context, by identity.Actor) ([]Stated, error) {
	own, err := s.ownPublishers(ctx)
	if err != nil {
		return nil, err
	}
	var out []Stated
	seen := map[string]bool{}
	for _, b := range own {
		st, err := s.state(ctx, b)
		if err != nil {
			return nil, err
		}
		st.Own, seen[b.Publisher] = true, true
		out = append(out, st)
	}
	rows, err := s.Store.ListTrusted(ctx)
	if err != nil {
		return nil, err
	}
	if len(by.Memberships) > 0 {
		var in []identity.InstitutionID
		for _, m := range by.Memberships {
			in = append(in, m.InstitutionID)
		}
		more, err := s.Store.ListTrusted(ctx, in...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	for _, r := range rows {
		if seen[r.Publisher] {
			continue
		}
		seen[r.Publisher] = true
		st, err := s.state(ctx, r.Bearer)
		if err != nil {
			return nil, err
		}
		st.InstitutionID = r.InstitutionID
		out = append(out, st)
	}
	return out, nil
}

// ownPublishers are the institutions that publish courses or issue certificates here, or did. Their documents are made when they are first asked for.
func (s *Service) ownPublishers(ctx context.Context) ([]Bearer, error) {
	roots, err := s.Store.ListDocuments(ctx, "", RootDocument)
	if err != nil {
		return nil, err
	}
	var out []Bearer
	for _, d := range roots {
		if !slices.Contains(out, d.Bearer) {
			out = append(out, d.Bearer)
		}
	}
	seen := map[string]bool{}
	issuing, err := s.vouchers(ctx)
	if err != nil {
		return nil, err
	}
	for _, in := range issuing {
		seen[string(in)] = true
		p, err := s.signs(ctx, in)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p.Bearer) {
			out = append(out, p.Bearer)
		}
	}
	for cursor, more := "", true; more; more = cursor != "" {
		var list []curriculum.Version
		if list, cursor, err = s.Courses.List(ctx, cursor, 100); err != nil {
			return nil, err
		}
		for _, v := range list {
			if seen[v.InstitutionID] {
				continue
			}
			seen[v.InstitutionID] = true
			p, err := s.signs(ctx, identity.InstitutionID(v.InstitutionID))
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out, p.Bearer) {
				out = append(out, p.Bearer)
			}
		}
	}
	return out, nil
}

// mayTrust tells who may say whom an institution trusts, and the operator whom the server does (in is "").
func mayTrust(by identity.Actor, in identity.InstitutionID) error {
	if by.MayOperate() || in != "" && by.Has(in, identity.Admin) && by.Scoped(identity.ScopeAdmin) {
		return nil
	}
	if by.Anonymous() {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	return fault.New(fault.Denied, "bundle.trust_denied")
}

// ListTrusted lists whom an institution, or with "" the operator, trusts. For those who may change it.
func (s *Service) ListTrusted(ctx context.Context, by identity.Actor, in identity.InstitutionID) ([]Stated, error) {
	if err := mayTrust(by, in); err != nil {
		return nil, err
	}
	var ids []identity.InstitutionID
	if in != "" {
		ids = []identity.InstitutionID{in}
	}
	rows, err := s.Store.ListTrusted(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := []Stated{}
	for _, r := range rows {
		st, err := s.state(ctx, r.Bearer)
		if err != nil {
			return nil, err
		}
		st.InstitutionID = r.InstitutionID
		out = append(out, st)
	}
	return out, nil
}

// Trust makes an institution, or with in "" the operator, trust a publisher by its documents from serial 1 on. What is known of it already must not
// contradict them. Twice is no error: it is how a longer chain is brought by hand. What others took for this publisher counts for them alone.
// fault.Conflict bundle.other_bearer: they trust somebody else by that name, and must take that back first.
func (s *Service) Trust(ctx context.Context, by identity.Actor, in identity.InstitutionID, documents ...[]byte) (Stated, error) {
	if err := mayTrust(by, in); err != nil {
		return Stated{}, err
	}
	c, err := bundle.ReadChain(documents...)
	if err != nil {
		return Stated{}, err
	}
	if c.ID() == "" {
		return Stated{}, bundle.Refuse("not_a_bundle", errors.New("no document of a publisher"))
	}
	known, err := s.bearer(ctx, c)
	if err != nil {
		return Stated{}, err
	}
	if _, err := c.Join(known.chain); err != nil {
		return Stated{}, err
	}
	err = s.Store.InTx(ctx, func(tx Store) error {
		if err := learn(ctx, tx, known.Bearer, c); err != nil {
			return err
		}
		_, before, err := trusted(ctx, tx, in, c.ID())
		if err != nil {
			return err
		}
		if err := tx.AddTrusted(ctx, Trusted{Bearer: known.Bearer, InstitutionID: in, CreatedAt: s.Now().UTC()}); err != nil {
			return err
		}
		// Whoever was first stands.
		if now, _, err := trusted(ctx, tx, in, c.ID()); err != nil || now != known.Bearer {
			return cmp.Or(err, error(fault.New(fault.Conflict, "bundle.other_bearer").With("Publisher", c.ID())))
		}
		if before {
			return nil
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, s.Now(), audit.PublisherTrusted, map[string]any{"publisher": c.ID()}))
	})
	if err != nil {
		return Stated{}, err
	}
	st, err := s.state(ctx, known.Bearer)
	st.InstitutionID = in
	return st, err
}

// learn keeps the serials of a chain.
func learn(ctx context.Context, tx Store, b Bearer, c bundle.Chain) error {
	for i, d := range c.Documents {
		p := c.Serials()[i]
		if _, err := tx.AddDocument(ctx, Document{Bearer: b, Kind: PublisherDocument, Serial: p.Serial, Text: d.Text, SignedAt: p.SignedAt.Time}); err != nil {
			return err
		}
	}
	return nil
}

// Distrust takes trust back. Installed courses stay as they are, and later versions of that publisher are refused. Its documents are
// kept: who trusts it again must not fall back to older keys.
func (s *Service) Distrust(ctx context.Context, by identity.Actor, in identity.InstitutionID, id string) error {
	if err := mayTrust(by, in); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.RemoveTrusted(ctx, id, in); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, s.Now(), audit.PublisherDistrusted, map[string]any{"publisher": id}))
	})
}

// trusted gives whom an institution, or with "" the operator, trusts by a name; false for nobody.
func trusted(ctx context.Context, tx Store, in identity.InstitutionID, id string) (Bearer, bool, error) {
	var ids []identity.InstitutionID
	if in != "" {
		ids = append(ids, in)
	}
	rows, err := tx.ListTrusted(ctx, ids...)
	if i := slices.IndexFunc(rows, func(r Trusted) bool { return r.InstitutionID == in && r.Publisher == id }); i >= 0 {
		return rows[i].Bearer, true, err
	}
	return Bearer{}, false, err
}

// known is what this server knows when a carrier arrives.
func (s *Service) known(ctx context.Context, course string) func(publisher, of string) (intake.Known, error) {
	return func(id, of string) (intake.Known, error) {
		k := intake.Known{Course: course}
		own, err := s.ownPublishers(ctx)
		if err != nil {
			return intake.Known{}, err
		}
		// Who signs here bears the name here, whomever somebody trusts by it.
		var b Bearer
		if i := slices.IndexFunc(own, func(b Bearer) bool { return b.Publisher == id }); i >= 0 {
			b = own[i]
		} else if b, _, err = trusted(ctx, s.Store, "", id); err != nil {
			return intake.Known{}, err
		}
		if b.Publisher != "" {
			if k.Chain, err = s.chain(ctx, b); err != nil {
				return intake.Known{}, err
			}
			// Of this publisher alone: another one's clock may be years ahead.
			if k.Newest, err = s.Store.NewestTime(ctx, b); err != nil {
				return intake.Known{}, err
			}
		}
		p, err := s.Store.FindPlace(ctx, of)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return intake.Known{}, err
		}
		// Another one who bore this name before is another publisher.
		if k.Current = p.Installed; p.Installed != nil && p.Publisher == id && b.Publisher != "" {
			root, err := bundle.ReadSigned(p.Installed)
			if err != nil {
				return intake.Known{}, err
			}
			if !slices.ContainsFunc(root.Signatures, func(s bundle.Signature) bool { return k.Chain.Names(s.Key) }) {
				return intake.Known{}, bundle.Refuse("other_publisher", fmt.Errorf("%s was installed from another one of that name", of)).With("Publisher", id)
			}
		}
		v, err := s.Courses.FindLatest(ctx, curriculum.CourseID(of))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return intake.Known{}, err
		}
		if err == nil {
			name, err := s.Publisher(ctx, identity.InstitutionID(v.InstitutionID))
			if err != nil {
				return intake.Known{}, err
			}
			if name.ID != id {
				return intake.Known{}, bundle.Refuse("other_publisher", fmt.Errorf("%s publishes %s here", name.ID, of)).With("Publisher", name.ID)
			}
		}
		return k, nil
	}
}
